"""What agent and hub say to each other: topics, messages, clock, lesson package.

Imports nothing of ours. Pydantic models stand at the borders (messages and files);
everything here is pure, takes the time as an argument and never opens a socket.
"""
