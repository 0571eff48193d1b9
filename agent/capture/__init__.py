"""Cameras, screens, microphones, files, RTSP and the built-in rehearsal lesson, as frames with capture time."""
