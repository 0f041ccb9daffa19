// Several machines may share the object, so kernels.inc is compiled for five kinds of processors, each in its own namespace and
// with its own instruction set, and one is selected by CPU detection. kernels.inc does not use the standard library, parts of
// which could be compiled with those instructions and then be shared with other code.

#include "kernels.h"

#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

// Tests define it as nothing: with the sanitizers, inlined code takes minutes to compile.
#if !defined(ALWAYS)
#define ALWAYS __attribute__((always_inline))
#endif
#define INLINE inline ALWAYS

// Tests leave out kinds that the processor lacks, with WITHOUT_AVX512.
#if defined(__x86_64__) && !defined(WITHOUT_AVX512)
#define HAS_AVX512
#endif

#if defined(HAS_AVX512)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#define KIND avx512
#define LANES 16
#define MR 12
#define FMA(a, b, c) ((Vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
// With a mask of all lanes: the unmasked forms in GCC 12's header cause an uninitialised variable warning.
#define ALL_LANES ((__mmask16)-1)
#define RECIPROCAL_ESTIMATE(x) ((Vec)_mm512_maskz_rcp14_ps(ALL_LANES, (__m512)(x)))
#define MIN_EXPONENT -200.0f
#define TIMES_POWER_OF_2(p, n, x) ((Vec)_mm512_maskz_scalef_ps(ALL_LANES, (__m512)(p), (__m512)(n)))
#define LOAD_N(from, count) ((Vec)_mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), from))
#define STORE_N(to, v, count) _mm512_mask_storeu_ps(to, (__mmask16)((1u << (count)) - 1), (__m512)(v))
#include "kernels.inc"
#undef KIND
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx512bf16,avx2,fma")
#define KIND avx512bf16
#define MULTIPLY_PAIRS(a, b, c) ((Vec)_mm512_dpbf16_ps((__m512)(c), (__m512bh)(a), (__m512bh)(b)))
#define ROUND_TO_PAIRS(first, second) ((UintVec)_mm512_cvtne2ps_pbh((__m512)(second), (__m512)(first)))
#include "kernels.inc"
#undef KIND
#undef MULTIPLY_PAIRS
#undef ROUND_TO_PAIRS
#pragma GCC pop_options

#if defined(__linux__)
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,amx-tile,amx-bf16")
#define KIND amx
#define HAS_AMX
#include "kernels.inc"
#undef KIND
#undef HAS_AMX
#pragma GCC pop_options
#endif

#undef LANES
#undef MR
#undef FMA
#undef ALL_LANES
#undef RECIPROCAL_ESTIMATE
#undef MIN_EXPONENT
#undef TIMES_POWER_OF_2
#undef LOAD_N
#undef STORE_N
#endif

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define KIND avx2
#define LANES 8
#define MR 6
#define FMA(a, b, c) ((Vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define RECIPROCAL_ESTIMATE(x) ((Vec)_mm256_rcp_ps((__m256)(x)))
#define MIN_EXPONENT -87.3f
#define TIMES_POWER_OF_2(p, n, x) TimesPowerOf2(p, n, x)
#define LOAD_N(from, count) ((Vec)_mm256_maskload_ps(from, (__m256i)(Iota() < (int32_t)(count))))
#define STORE_N(to, v, count) _mm256_maskstore_ps(to, (__m256i)(Iota() < (int32_t)(count)), (__m256)(v))
#include "kernels.inc"
#undef KIND
#undef LANES
#undef MR
#undef FMA
#undef RECIPROCAL_ESTIMATE
#undef MIN_EXPONENT
#undef TIMES_POWER_OF_2
#undef LOAD_N
#undef STORE_N
#pragma GCC pop_options
#endif

#define KIND portable
#define LANES 4
#define MR 6
#define FMA(a, b, c) ((a) * (b) + (c))
#define RECIPROCAL_ESTIMATE(x) (1.0f / (x))
#define MIN_EXPONENT -87.3f
#define TIMES_POWER_OF_2(p, n, x) TimesPowerOf2(p, n, x)
#define LOAD_N(from, count) LoadLanes(from, count)
#define STORE_N(to, v, count) StoreLanes(to, v, count)
#include "kernels.inc"

namespace sonoground {
namespace {

#if defined(HAS_AVX512) && defined(__linux__)
// AMX has large registers, which Linux only enables for processes that request it.
bool IsAmxGranted() {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}
#endif

const CpuKernels& Choose() {
#if defined(__x86_64__)
  const char* wanted = std::getenv("SONOGROUND_VECTORS");
  const auto allowed = [wanted](const char* name) { return wanted == nullptr || std::strcmp(wanted, name) == 0; };
  __builtin_cpu_init();
  const bool hasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#if defined(HAS_AVX512)
  const bool hasAvx512 = hasAvx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#if defined(__linux__)
  const bool hasAmx = hasAvx512 && __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16");
  if (hasAmx && allowed("amx") && IsAmxGranted()) return amx::kKernels;
#endif
  if (hasAvx512 && __builtin_cpu_supports("avx512bf16") && allowed("avx512bf16")) return avx512bf16::kKernels;
  if (hasAvx512 && allowed("avx512")) return avx512::kKernels;
#endif
  if (hasAvx2 && allowed("avx2")) return avx2::kKernels;
#endif
  return portable::kKernels;
}

}  // namespace

const CpuKernels& Kernels() {
  static const CpuKernels& chosen = Choose();
  return chosen;
}

}  // namespace sonoground
