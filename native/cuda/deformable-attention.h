// Deformable attention on a CUDA device, independent of TensorFlow and of CUDA's headers.
#pragma once

#include "../deformable-sampling.h"

namespace sonoground {

// Copies the levels from the host to `room`, which has space for as many on the device. All pointers below are device pointers;
// `stream` is a CUstream. Each function returns null, or CUDA's error message if it could not be launched.
const char* CopyLevels(void* stream, const Level* levels, int64_t count, Level* room);

// Fills `output` [B, Q, H, D].
const char* SampleOnDevice(void* stream, const Inputs& in, float* output);

// Fills the gradients. Those with respect to the value are sums whose order, and with it the last bits, may differ from run to
// run.
const char* SampleGradientsOnDevice(void* stream, const Inputs& in, const float* outputGradient, const Gradients& out);

}  // namespace sonoground
