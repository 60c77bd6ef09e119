"""TensorFlow.js's calling conventions, a module per family of ops."""
