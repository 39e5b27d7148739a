"""From fitted estimators to a bundle that Presage serves. Each exporter answers one part of a network, as ONNX."""
