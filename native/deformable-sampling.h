// The arithmetic of multi-scale deformable attention (Zhu et al. 2021, Deformable DETR, equation 3), independent of TensorFlow.
//
// All arrays are float32 and row-major:
//   value      [B, S, H, D]        the concatenated maps of all levels
//   locations  [B, Q, H, L, P, 2]  x, y, where 0 and 1 are the outer edges of a map
//   weights    [B, Q, H, L, P]
//   output     [B, Q, H, D]
//
// A point is sampled bilinearly from the four cells around it; cells outside the map count as zero. Cell centres lie at
// half-integers (align_corners=False). At cell centres, where the slope is discontinuous, it is the right-hand one. Locations
// that are not finite lie outside every map.
#pragma once

#include <cstdint>

namespace sonoground {

struct Sizes {
  int64_t batch, cells, heads, depth, queries, levels, points;
};

// One map: its size, and the index of its first cell.
struct Level {
  int64_t height, width, start;
};

// A cell to read: the offset of its elements, and its weight.
struct Share {
  int64_t offset;
  float weight;
};

struct Inputs {
  Sizes sizes;
  const Level* levels;
  const float* value;
  const float* locations;
  const float* weights;
};

struct Gradients {
  float* value;
  float* locations;
  float* weights;
};

// Fills rows [from, to) of the B * Q rows of `output`. `table` has room for 4 * L * P shares.
void SampleRows(const Inputs& in, int64_t from, int64_t to, Share* table, float* output);

// The cells covered by one call of `SampleGradients`: one head of one image, levels [firstLevel, endLevel).
struct Part {
  int64_t image, head, firstLevel, endLevel;
};

int64_t CellsOf(const Inputs& in, const Part& part);

// Fills the part's section of each gradient. Parts never write the same element, and the results do not depend on how the work is
// divided. `scratch` has room for 2 * CellsOf(part) * D floats. `outputGradient` has the shape of the output.
void SampleGradients(const Inputs& in, const Part& part, const float* outputGradient, float* scratch, const Gradients& out);

}  // namespace sonoground
