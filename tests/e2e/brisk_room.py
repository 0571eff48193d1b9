"""An agent that soon knows whether it is well with new settings; everything else is the agent's own."""

import functools

import agent.remote
import tongtang
from agent.trial import Times, Trials

SOON = Times(look_s=0.2, stand_s=0.5, steady_s=2.0)

if __name__ == "__main__":
    agent.remote.Trials = functools.partial(Trials, times=SOON)
    tongtang.main()
