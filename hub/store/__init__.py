"""Tables, migrations and engine."""
