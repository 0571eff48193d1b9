"""On-device models: manifest, install and verify, onnxruntime sessions, one module per model."""
