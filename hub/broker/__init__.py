"""The MQTT side: broker, intake, signals."""
