/*
 * The collective operations of data-parallel training, for Node: N-API over MPI, the same source for Open MPI and MPICH.
 *
 *   init()               -> { rank, size, localRank, localSize, library }
 *   allGather(bytes)     -> Promise<Uint8Array[]>, the bytes of every rank, by rank
 *   allReduceSum(floats) -> Promise<void>, in place: the sum over all ranks
 *   finalize(), abort(code)
 *
 * The collectives run on libuv's threads, one at a time (the caller awaits each), so that Node keeps reading images meanwhile.
 *
 * MPI_Allreduce may choose another algorithm for another message size, placement of ranks or version, and with it another order
 * of additions. Here the sum is that of rank 0, 1, 2, ... everywhere: each rank receives its part of the vector from all others,
 * adds in double precision by rank, and sends the result to all. This moves as many bytes as the best all-reduce.
 */
#define _POSIX_C_SOURCE 200809L
#define NAPI_VERSION 8
#include <limits.h>
#include <mpi.h>
#include <node_api.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int g_rank = 0;
static int g_size = 1;
static int g_busy = 0; /* touched by the JavaScript thread only */

typedef struct {
  napi_async_work work;
  napi_deferred deferred;
  napi_ref input;
  void* data;
  size_t count; /* bytes of a gather, floats of a sum */
  uint8_t* received;
  int64_t* lengths; /* of each rank's bytes */
  char error[MPI_MAX_ERROR_STRING + 64];
} Job;

/* Fails a job with MPI's message; returns whether the call succeeded. */
static int Succeeded(Job* job, const char* name, int code) {
  if (code == MPI_SUCCESS) return 1;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  snprintf(job->error, sizeof job->error, "%s: %s", name, text);
  return 0;
}

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/*
 * MPI_Wait burns a core until the slowest rank arrives, which may be the core that rank needs. This polls eagerly only for the
 * time that the messages themselves take, then sleeps between polls.
 */
static int WaitFor(MPI_Request* request) {
  const double began = Now();
  for (;;) {
    int done = 0;
    const int code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS || done) return code;
    const double waited = Now() - began;
    if (waited < 2e-3) {
      sched_yield();
    } else {
      /* A two-hundredth of the wait so far, at most 5 ms. */
      const double seconds = waited / 200 < 5e-3 ? waited / 200 : 5e-3;
      const struct timespec pause = {0, (long)(seconds * 1e9)};
      nanosleep(&pause, NULL);
    }
  }
}

/* Splits `count` into one part a rank; the last parts may be smaller by one. */
static void Parts(size_t count, int* counts, int* offsets) {
  size_t offset = 0;
  for (int r = 0; r < g_size; r++) {
    const size_t part = count / (size_t)g_size + ((size_t)r < count % (size_t)g_size ? 1 : 0);
    counts[r] = (int)part;
    offsets[r] = (int)offset;
    offset += part;
  }
}

static void RunSum(napi_env env, void* data) {
  (void)env;
  Job* job = data;
  float* values = job->data;
  const size_t ranks = (size_t)g_size;
  int* parts = calloc(4 * ranks, sizeof(int));
  if (parts == NULL) {
    snprintf(job->error, sizeof job->error, "out of memory");
    return;
  }
  int *counts = parts, *offsets = parts + ranks, *own_counts = parts + 2 * ranks, *own_offsets = parts + 3 * ranks;
  Parts(job->count, counts, offsets);
  const size_t own = (size_t)counts[g_rank];
  for (int r = 0; r < g_size; r++) {
    own_counts[r] = (int)own;
    own_offsets[r] = (int)((size_t)r * own);
  }
  /* At most a few elements more than the vector itself, so that the offsets fit where the length does. */
  float* theirs = malloc((ranks * own + 1) * sizeof(float));
  if (theirs == NULL) {
    snprintf(job->error, sizeof job->error, "out of memory");
    free(parts);
    return;
  }
  MPI_Request request;
  if (Succeeded(job, "MPI_Ialltoallv", MPI_Ialltoallv(values, counts, offsets, MPI_FLOAT, theirs, own_counts, own_offsets,
                                                      MPI_FLOAT, MPI_COMM_WORLD, &request)) &&
      Succeeded(job, "MPI_Ialltoallv", WaitFor(&request))) {
    float* sums = values + offsets[g_rank];
    for (size_t i = 0; i < own; i++) {
      double sum = 0;
      for (size_t r = 0; r < ranks; r++) sum += (double)theirs[r * own + i];
      sums[i] = (float)sum;
    }
    if (Succeeded(job, "MPI_Iallgatherv", MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, counts, offsets, MPI_FLOAT,
                                                          MPI_COMM_WORLD, &request)))
      Succeeded(job, "MPI_Iallgatherv", WaitFor(&request));
  }
  free(theirs);
  free(parts);
}

static void RunGather(napi_env env, void* data) {
  (void)env;
  Job* job = data;
  const size_t ranks = (size_t)g_size;
  int64_t own = (int64_t)job->count;
  int* counts = malloc(2 * ranks * sizeof(int));
  job->lengths = malloc(ranks * sizeof(int64_t));
  if (counts == NULL || job->lengths == NULL) {
    snprintf(job->error, sizeof job->error, "out of memory");
    free(counts);
    return;
  }
  int* offsets = counts + ranks;
  MPI_Request request;
  if (Succeeded(job, "MPI_Iallgather",
                MPI_Iallgather(&own, 1, MPI_INT64_T, job->lengths, 1, MPI_INT64_T, MPI_COMM_WORLD, &request)) &&
      Succeeded(job, "MPI_Iallgather", WaitFor(&request))) {
    int64_t total = 0;
    for (size_t r = 0; r < ranks; r++) {
      counts[r] = (int)job->lengths[r];
      offsets[r] = (int)total;
      total += job->lengths[r];
    }
    /* The same on all ranks, so that none waits for the others. */
    if (total > INT_MAX)
      snprintf(job->error, sizeof job->error, "%lld bytes are more than one message holds", (long long)total);
    else if ((job->received = malloc((size_t)total + 1)) == NULL)
      snprintf(job->error, sizeof job->error, "out of memory");
    else if (Succeeded(job, "MPI_Iallgatherv", MPI_Iallgatherv(job->data, (int)own, MPI_BYTE, job->received, counts, offsets,
                                                               MPI_BYTE, MPI_COMM_WORLD, &request)))
      Succeeded(job, "MPI_Iallgatherv", WaitFor(&request));
  }
  free(counts);
}

/* An array of each rank's bytes, or undefined for a sum. */
static napi_value ResultOf(napi_env env, Job* job) {
  napi_value result;
  if (job->lengths == NULL) {
    napi_get_undefined(env, &result);
    return result;
  }
  napi_create_array_with_length(env, (size_t)g_size, &result);
  const uint8_t* from = job->received;
  for (int r = 0; r < g_size; r++) {
    const size_t length = (size_t)job->lengths[r];
    void* to = NULL;
    napi_value buffer, bytes;
    if (napi_create_arraybuffer(env, length, &to, &buffer) != napi_ok) return NULL;
    if (length > 0) memcpy(to, from, length);
    napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &bytes);
    napi_set_element(env, result, (uint32_t)r, bytes);
    from += length;
  }
  return result;
}

static void Settle(napi_env env, napi_status status, void* data) {
  Job* job = data;
  g_busy = 0;
  if (status != napi_ok && job->error[0] == '\0') snprintf(job->error, sizeof job->error, "the operation was cancelled");
  napi_value result = job->error[0] == '\0' ? ResultOf(env, job) : NULL;
  if (result != NULL) {
    napi_resolve_deferred(env, job->deferred, result);
  } else {
    napi_value message, error;
    napi_create_string_utf8(env, job->error[0] == '\0' ? "out of memory" : job->error, NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, NULL, message, &error);
    napi_reject_deferred(env, job->deferred, error);
  }
  napi_delete_reference(env, job->input);
  napi_delete_async_work(env, job->work);
  free(job->received);
  free(job->lengths);
  free(job);
}

/* Starts a job on the typed array that is the only argument. */
static napi_value Start(napi_env env, napi_callback_info info, napi_typedarray_type wanted, napi_async_execute_callback run) {
  size_t argc = 1;
  napi_value input;
  bool typed = false;
  napi_typedarray_type type = napi_int8_array;
  size_t count = 0;
  void* values = NULL;
  napi_get_cb_info(env, info, &argc, &input, NULL, NULL);
  if (argc == 1) napi_is_typedarray(env, input, &typed);
  if (typed) napi_get_typedarray_info(env, input, &type, &count, &values, NULL, NULL);
  if (!typed || type != wanted) {
    napi_throw_type_error(env, NULL, "expected one typed array: Uint8Array to gather, Float32Array to sum");
    return NULL;
  }
  if (g_busy) {
    napi_throw_error(env, NULL, "another collective operation is under way");
    return NULL;
  }
  if (count > (size_t)INT_MAX - (size_t)g_size) {
    napi_throw_range_error(env, NULL, "the array has more elements than one message holds");
    return NULL;
  }
  Job* job = calloc(1, sizeof *job);
  if (job == NULL) {
    napi_throw_error(env, NULL, "out of memory");
    return NULL;
  }
  job->data = values;
  job->count = count;
  napi_value promise, name;
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_reference(env, input, 1, &job->input); /* keeps the memory */
  napi_create_string_utf8(env, "sonoground MPI", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, NULL, name, run, Settle, job, &job->work);
  g_busy = 1;
  napi_queue_async_work(env, job->work);
  return promise;
}

static napi_value AllGather(napi_env env, napi_callback_info info) { return Start(env, info, napi_uint8_array, RunGather); }

static napi_value AllReduceSum(napi_env env, napi_callback_info info) { return Start(env, info, napi_float32_array, RunSum); }

static void SetNumber(napi_env env, napi_value object, const char* name, int value) {
  napi_value number;
  napi_create_int32(env, value, &number);
  napi_set_named_property(env, object, name, number);
}

static napi_value Init(napi_env env, napi_callback_info info) {
  (void)info;
  int started = 0, ended = 0, provided = MPI_THREAD_MULTIPLE;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  if (ended) {
    napi_throw_error(env, NULL, "MPI has been shut down and cannot be started again");
    return NULL;
  }
  if (!started && MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS) {
    napi_throw_error(env, NULL, "MPI_Init_thread failed");
    return NULL;
  }
  if (provided < MPI_THREAD_SERIALIZED) {
    napi_throw_error(env, NULL, "this MPI was built without support for threads (MPI_THREAD_SERIALIZED)");
    return NULL;
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &g_rank);
  MPI_Comm_size(MPI_COMM_WORLD, &g_size);
  MPI_Comm local;
  int local_rank = 0, local_size = 1, length = 0;
  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, g_rank, MPI_INFO_NULL, &local) == MPI_SUCCESS) {
    MPI_Comm_rank(local, &local_rank);
    MPI_Comm_size(local, &local_size);
    MPI_Comm_free(&local);
  }
  char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  MPI_Get_library_version(version, &length);
  napi_value result, library;
  napi_create_object(env, &result);
  SetNumber(env, result, "rank", g_rank);
  SetNumber(env, result, "size", g_size);
  SetNumber(env, result, "localRank", local_rank);
  SetNumber(env, result, "localSize", local_size);
  napi_create_string_utf8(env, version, strcspn(version, ",\n"), &library);
  napi_set_named_property(env, result, "library", library);
  return result;
}

static napi_value Finalize(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  int started = 0, ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  if (started && !ended) MPI_Finalize();
  return NULL;
}

static napi_value Abort(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argument;
  int32_t code = 1;
  napi_get_cb_info(env, info, &argc, &argument, NULL, NULL);
  if (argc == 1) napi_get_value_int32(env, argument, &code);
  MPI_Abort(MPI_COMM_WORLD, code);
  return NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"init", NULL, Init, NULL, NULL, NULL, napi_enumerable, NULL},
      {"allGather", NULL, AllGather, NULL, NULL, NULL, napi_enumerable, NULL},
      {"allReduceSum", NULL, AllReduceSum, NULL, NULL, NULL, napi_enumerable, NULL},
      {"finalize", NULL, Finalize, NULL, NULL, NULL, napi_enumerable, NULL},
      {"abort", NULL, Abort, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
