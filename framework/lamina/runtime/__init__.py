"""The wire: tensors, Variables, ops, and the one place where kernels are called.

Knows backends only by their contract, and nothing of which ops there are, of gradients or of replay: those listen.
"""
