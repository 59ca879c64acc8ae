"""A small network, trained, made smaller and measured: what the notebooks of the course call.

From the ground up; a module imports only what stands above it in this list.

arguments     checks of what a user enters
official      the checked files of the full set, found or downloaded
data          Digits, the offline sample, the full set
model         DigitClassifier, a multilayer perceptron: 784-128-10 by default
stages        the names of the six stages; a textbook's five epochs
statistics    intervals and tests for accuracies and their differences
training      train, evaluate, History
pruning       masks, prune, fine_tune, unit removal, scans
convolution   a small convolution; batch norm folded, channels removed, of any network
integer/      IntegerNetwork, the one network of integers; NumPy only
quantization  float weights -> integers: choose_qparams, quantize, quantize_model
packed/       IntegerNetwork <-> bytes of a file
compress/     the recipe for the smallest files, step by step
pretrained/   finished files, and what was measured on them
measure/      what a network costs: bytes, microseconds, changed answers
trace         the pipeline, one prediction, one unit, as plain data
deploy/       ONNX, ExecuTorch, a page of its own, C and emulated chips
ui/           all that a notebook shows: widgets, exercises, plots, tables; kept answers

A wing (with a /) is entered by its door: what its `__all__` names is for others.
"""
