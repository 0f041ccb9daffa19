// Lets Node load the operations by `require` of the shared object. TensorFlow must already be loaded; nothing else is left to do,
// as TensorFlow operations register themselves when the object that contains them is loaded.

extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void* /* env */, void* exports) {
  return exports;
}
