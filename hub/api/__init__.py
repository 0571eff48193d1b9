"""HTTP and WebSocket: who may come in, and what each route answers."""
