// Holds back what is written to standard error while a library is loaded, and gives it back for the lines worth passing on.
//
// Node cannot do this: it has no dup2. Closing number 2 and opening something else leaves a moment in which another thread may be
// given the number for a file of its own, and a file that is opened anew has another place to write at than the programs that
// share it. Here what number 2 stands for is exchanged in one act, and put back as it was.

#include <fcntl.h>
#include <node_api.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>
#include <string>

namespace {

constexpr int kStandardError = 2;

// One for the process: threads that load at the same time share them.
std::mutex mutex;
int holders = 0;
int saved = -1;
int held = -1;

void Hold() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (holders++ > 0) return;
  held = memfd_create("standard-error", MFD_CLOEXEC);
  if (held < 0) return;
  saved = fcntl(kStandardError, F_DUPFD_CLOEXEC, kStandardError + 1);
  if (saved >= 0 && dup2(held, kStandardError) == kStandardError) return;
  // There is no standard error: nothing is held.
  if (saved >= 0) close(saved);
  close(held);
  saved = held = -1;
}

// The last one gets what was written.
std::string Release() {
  const std::lock_guard<std::mutex> lock(mutex);
  std::string text;
  if (holders == 0 || --holders > 0 || saved < 0) return text;
  dup2(saved, kStandardError);
  close(saved);
  char part[4096];
  ssize_t got;
  for (off_t at = 0; (got = pread(held, part, sizeof part, at)) > 0; at += got) text.append(part, got);
  close(held);
  saved = held = -1;
  return text;
}

napi_value CallHold(napi_env, napi_callback_info) {
  Hold();
  return nullptr;
}

napi_value CallRelease(napi_env env, napi_callback_info) {
  const std::string text = Release();
  napi_value result = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &result);
  return result;
}

void Export(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  Export(env, exports, "hold", CallHold);
  Export(env, exports, "release", CallRelease);
  return exports;
}
