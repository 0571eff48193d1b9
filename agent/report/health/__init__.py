"""How this machine is: one file a probe, one registry, one sample of them all every few seconds."""
