// Deformable attention on a CUDA device, without TensorFlow and without CUDA's headers.
#pragma once

#include "../deformable-sampling.h"

namespace sonoground {

// Puts the levels, which are the host's, into `room` for as many on the device. All pointers below are the device's; `stream` is
// a CUstream. Each function returns null, or CUDA's word for why it could not be started.
const char* CopyLevels(void* stream, const Level* levels, int64_t count, Level* room);

// Fills `output` [B, Q, H, D].
const char* SampleOnDevice(void* stream, const Inputs& in, float* output);

// Fills the gradients. Those at the value are sums whose order, and with it the last bits, may differ from run to run.
const char* SampleGradientsOnDevice(void* stream, const Inputs& in, const float* outputGradient, const Gradients& out);

}  // namespace sonoground
