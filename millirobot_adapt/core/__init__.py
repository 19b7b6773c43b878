"""The runtime itself: numpy, scipy, onnxruntime and yaml only; no ROS, no serial port, no simulator, no torch."""
