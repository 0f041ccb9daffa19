// Lets Node load the operations: `require` of the shared object. TensorFlow must be in the process already, and nothing is
// left to do then, because a TensorFlow operation registers itself when the object that holds it is loaded.

extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void* /* env */, void* exports) {
  return exports;
}
