// The arithmetic of multi-scale deformable attention (Zhu et al. 2021, Deformable DETR, equation 3), without TensorFlow.
//
// All arrays are float32 and row-major:
//   value      [B, S, H, D]        the maps of all levels, one after the other
//   locations  [B, Q, H, L, P, 2]  x, y, where 0 and 1 are the outer edges of a map
//   weights    [B, Q, H, L, P]
//   output     [B, Q, H, D]
//
// A point is sampled bilinearly between the four cells around it; cells outside the map count as zero. Cell centres lie at
// half numbers (align_corners=False). Where the slope jumps, at a cell centre, it is the one to the right. A location that
// is not finite lies outside every map.
#pragma once

#include <cstdint>

namespace sonoground {

struct Sizes {
  int64_t batch, cells, heads, depth, queries, levels, points;
};

// One map: its size, and where its cells begin among all.
struct Level {
  int64_t height, width, start;
};

// A cell to read: where its numbers begin, and what they count for.
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

// Fills the rows [from, to) of the B * Q rows of `output`. `table` has room for 4 * L * P shares.
void SampleRows(const Inputs& in, int64_t from, int64_t to, Share* table, float* output);

// Which cells one call of `SampleGradients` covers: one head of one image, levels [firstLevel, endLevel).
struct Part {
  int64_t image, head, firstLevel, endLevel;
};

int64_t CellsOf(const Inputs& in, const Part& part);

// Fills, of each gradient, just what belongs to the part. Parts therefore never write the same number, and what they write
// does not depend on how the work was divided. `scratch` has room for 2 * CellsOf(part) * D numbers.
// `outputGradient` has the shape of the output.
void SampleGradients(const Inputs& in, const Part& part, const float* outputGradient, float* scratch, const Gradients& out);

}  // namespace sonoground
