// JNI over c10d, PyTorch's process groups, which are inside the libtorch that DJL loads: C10dLibrary.java declares
// these functions. A tensor argument is the at::Tensor* that DJL keeps for an array, so nothing is copied.

#include <jni.h>

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/util/Logging.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/version.h>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <chrono>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using std::chrono::milliseconds;
using StorePtr = c10::intrusive_ptr<c10d::Store>;
using BackendPtr = c10::intrusive_ptr<c10d::Backend>;

struct Group {
  BackendPtr gloo;
  // Beside Gloo for a rank that computes on a GPU, else null.
  BackendPtr nccl;
  int size;
  milliseconds timeout;

  c10d::Backend& of(const at::Tensor& tensor) const {
    if (tensor.is_cpu()) {
      return *gloo;
    }
    TORCH_CHECK_VALUE(nccl, "this group has no NCCL for a tensor on ", tensor.device());
    return *nccl;
  }
};

void throwNew(JNIEnv* env, const char* type, const char* message) {
  // Null if the class can't be found: then that error is pending instead.
  if (jclass found = env->FindClass(type)) {
    env->ThrowNew(found, message);
  }
}

constexpr const char* ILLEGAL_ARGUMENT = "java/lang/IllegalArgumentException";
constexpr const char* FAILED = "dev/finetune/trainer/distributed/C10dException";

// Thrown where a Java exception is pending already.
struct JavaPending {};

// Runs a native function's body; what it throws becomes a Java exception with c10d's own message.
template <typename Body>
auto guarded(JNIEnv* env, Body body) -> decltype(body()) {
  using Result = decltype(body());
  try {
    return body();
  } catch (const JavaPending&) {
  } catch (const c10::ValueError& e) {
    throwNew(env, ILLEGAL_ARGUMENT, e.what_without_backtrace());
  } catch (const c10::TypeError& e) {
    throwNew(env, ILLEGAL_ARGUMENT, e.what_without_backtrace());
  } catch (const std::invalid_argument& e) {
    throwNew(env, ILLEGAL_ARGUMENT, e.what());
  } catch (const c10::Error& e) {
    throwNew(env, FAILED, e.what_without_backtrace());
  } catch (const std::exception& e) {
    throwNew(env, FAILED, e.what());
  } catch (...) {
    throwNew(env, FAILED, "an error of an unknown type");
  }
  return Result();
}

std::string text(JNIEnv* env, jstring value) {
  const char* chars = env->GetStringUTFChars(value, nullptr);
  if (chars == nullptr) {
    throw JavaPending();
  }
  std::string copy(chars);
  env->ReleaseStringUTFChars(value, chars);
  return copy;
}

StorePtr& storeAt(jlong handle) {
  return *reinterpret_cast<StorePtr*>(handle);
}

Group& groupAt(jlong handle) {
  return *reinterpret_cast<Group*>(handle);
}

at::Tensor& tensorAt(jlong handle) {
  return *reinterpret_cast<at::Tensor*>(handle);
}

// Collectives write a tensor's memory in the order in which it lies there.
at::Tensor flat(const at::Tensor& tensor) {
  TORCH_CHECK_VALUE(tensor.is_contiguous(), "a tensor of a collective must be contiguous");
  return tensor.view(-1);
}

void allReduce(Group& group, const at::Tensor& tensor, c10d::ReduceOp::RedOpType op) {
  std::vector<at::Tensor> tensors{flat(tensor)};
  c10d::AllreduceOptions options;
  options.reduceOp = op;
  options.timeout = group.timeout;
  group.of(tensor).allreduce(tensors, options)->wait();
}

// The whole tensor has a part of the other's size for each rank.
void checkParts(const Group& group, const at::Tensor& whole, const at::Tensor& part) {
  TORCH_CHECK_VALUE(
      whole.numel() == group.size * part.numel() && whole.scalar_type() == part.scalar_type() &&
          whole.device() == part.device(),
      "a ", whole.scalar_type(), " tensor of ", whole.numel(), " on ", whole.device(), " is not ", group.size,
      " times a ", part.scalar_type(), " tensor of ", part.numel(), " on ", part.device());
}

BackendPtr openGloo(
    const StorePtr& store, int rank, int size, const std::string& interface, const std::string& address,
    milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(
      interface.empty() ? c10d::ProcessGroupGloo::createDeviceForHostname(address)
                        : c10d::ProcessGroupGloo::createDeviceForInterface(interface));
  StorePtr own = c10::make_intrusive<c10d::PrefixStore>("gloo", store);
  return c10::make_intrusive<c10d::ProcessGroupGloo>(own, rank, size, options);
}

BackendPtr openNccl(
    [[maybe_unused]] const StorePtr& store, [[maybe_unused]] int rank, [[maybe_unused]] int size,
    [[maybe_unused]] const std::string& interface, [[maybe_unused]] milliseconds timeout) {
#ifdef USE_C10D_NCCL
  // The one by which the ranks have met; NCCL would take the first that isn't loopback. "=" asks for exactly this name.
  setenv("NCCL_SOCKET_IFNAME", ("=" + interface).c_str(), 0);
  // Without it a thread of c10d's ends the whole process when a collective takes too long; with it wait() throws.
  setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  StorePtr own = c10::make_intrusive<c10d::PrefixStore>("nccl", store);
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(own, rank, size, options);
#else
  TORCH_CHECK_VALUE(false, "libfinetune_c10d was built without NCCL");
#endif
}

} // namespace

#define C10D(result, name) extern "C" JNIEXPORT result JNICALL Java_dev_finetune_trainer_distributed_C10dLibrary_##name

// c10d warns of each closed connection with a C++ stack trace; Java says which rank is lost.
extern "C" JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM*, void*) {
  setenv("TORCH_CPP_LOG_LEVEL", "ERROR", 0);
  c10::initLogging();
  return JNI_VERSION_10;
}

C10D(jstring, builtFor)(JNIEnv* env, jclass) {
  return env->NewStringUTF(TORCH_VERSION);
}

C10D(jlong, openStore)(JNIEnv* env, jclass, jstring host, jint port, jboolean server, jlong timeoutMillis) {
  return guarded(env, [&]() -> jlong {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(port);
    options.isServer = server == JNI_TRUE;
    // Java waits for the ranks, and can say which ones are late.
    options.waitWorkers = false;
    options.timeout = milliseconds(timeoutMillis);
    StorePtr store = c10::make_intrusive<c10d::TCPStore>(text(env, host), options);
    return reinterpret_cast<jlong>(new StorePtr(std::move(store)));
  });
}

C10D(void, closeStore)(JNIEnv* env, jclass, jlong store) {
  guarded(env, [&] { delete &storeAt(store); });
}

C10D(void, put)(JNIEnv* env, jclass, jlong store, jstring key, jbyteArray value) {
  guarded(env, [&] {
    std::vector<std::uint8_t> bytes(env->GetArrayLength(value));
    env->GetByteArrayRegion(value, 0, bytes.size(), reinterpret_cast<jbyte*>(bytes.data()));
    storeAt(store)->set(text(env, key), bytes);
  });
}

// Null where there is no such key: c10d's get alone would wait for it.
C10D(jbyteArray, get)(JNIEnv* env, jclass, jlong store, jstring key) {
  return guarded(env, [&]() -> jbyteArray {
    const std::string name = text(env, key);
    if (!storeAt(store)->check({name})) {
      return nullptr;
    }
    const std::vector<std::uint8_t> bytes = storeAt(store)->get(name);
    jbyteArray value = env->NewByteArray(bytes.size());
    if (value == nullptr) {
      throw JavaPending();
    }
    env->SetByteArrayRegion(value, 0, bytes.size(), reinterpret_cast<const jbyte*>(bytes.data()));
    return value;
  });
}

C10D(jlong, add)(JNIEnv* env, jclass, jlong store, jstring key, jlong amount) {
  return guarded(env, [&]() -> jlong { return storeAt(store)->add(text(env, key), amount); });
}

C10D(jlong, openGroup)
(JNIEnv* env, jclass, jlong store, jint rank, jint size, jstring interface, jstring address, jstring ncclInterface,
 jlong timeoutMillis) {
  return guarded(env, [&]() -> jlong {
    const milliseconds timeout(timeoutMillis);
    BackendPtr gloo = openGloo(storeAt(store), rank, size, text(env, interface), text(env, address), timeout);
    BackendPtr onDevice;
    if (ncclInterface != nullptr) {
      onDevice = openNccl(storeAt(store), rank, size, text(env, ncclInterface), timeout);
    }
    return reinterpret_cast<jlong>(new Group{std::move(gloo), std::move(onDevice), size, timeout});
  });
}

C10D(void, closeGroup)(JNIEnv* env, jclass, jlong group, jboolean failed) {
  guarded(env, [&] {
    // NCCL's kernels wait on the device for a rank that is gone until they are aborted.
    if (failed == JNI_TRUE && groupAt(group).nccl) {
      groupAt(group).nccl->abort();
    }
    delete &groupAt(group);
  });
}

C10D(void, allReduceDoubles)(JNIEnv* env, jclass, jlong group, jdoubleArray values, jboolean max) {
  guarded(env, [&] {
    at::NoGradGuard noGrad;
    const jsize length = env->GetArrayLength(values);
    at::Tensor copy = at::empty({length}, at::kDouble);
    env->GetDoubleArrayRegion(values, 0, length, copy.data_ptr<double>());
    allReduce(groupAt(group), copy, max == JNI_TRUE ? c10d::ReduceOp::MAX : c10d::ReduceOp::SUM);
    env->SetDoubleArrayRegion(values, 0, length, copy.data_ptr<double>());
  });
}

C10D(void, allReduce)(JNIEnv* env, jclass, jlong group, jlong tensor) {
  guarded(env, [&] {
    at::NoGradGuard noGrad;
    c10::DeviceGuard device(tensorAt(tensor).device());
    allReduce(groupAt(group), tensorAt(tensor), c10d::ReduceOp::SUM);
  });
}

C10D(void, broadcast)(JNIEnv* env, jclass, jlong group, jlong tensor, jint root) {
  guarded(env, [&] {
    at::NoGradGuard noGrad;
    TORCH_CHECK_VALUE(root >= 0 && root < groupAt(group).size, "no rank ", root, " of ", groupAt(group).size);
    const at::Tensor& sent = tensorAt(tensor);
    c10::DeviceGuard device(sent.device());
    std::vector<at::Tensor> tensors{flat(sent)};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    options.timeout = groupAt(group).timeout;
    groupAt(group).of(sent).broadcast(tensors, options)->wait();
  });
}

C10D(void, reduceScatter)(JNIEnv* env, jclass, jlong group, jlong input, jlong output) {
  guarded(env, [&] {
    at::NoGradGuard noGrad;
    checkParts(groupAt(group), tensorAt(input), tensorAt(output));
    c10::DeviceGuard device(tensorAt(input).device());
    at::Tensor whole = flat(tensorAt(input));
    at::Tensor part = flat(tensorAt(output));
    if (whole.is_cpu()) {
      // Gloo has none of its own, and c10d's stand-in sums a copy of the whole tensor, which takes twice as long.
      allReduce(groupAt(group), whole, c10d::ReduceOp::SUM);
      part.copy_(whole.narrow(0, groupAt(group).gloo->getRank() * part.numel(), part.numel()));
      return;
    }
    c10d::ReduceScatterOptions options;
    options.timeout = groupAt(group).timeout;
    groupAt(group).of(whole)._reduce_scatter_base(part, whole, options)->wait();
  });
}

C10D(void, allGather)(JNIEnv* env, jclass, jlong group, jlong input, jlong output) {
  guarded(env, [&] {
    at::NoGradGuard noGrad;
    checkParts(groupAt(group), tensorAt(output), tensorAt(input));
    c10::DeviceGuard device(tensorAt(input).device());
    at::Tensor part = flat(tensorAt(input));
    at::Tensor whole = flat(tensorAt(output));
    c10d::AllgatherOptions options;
    options.timeout = groupAt(group).timeout;
    groupAt(group).of(part)._allgather_base(whole, part, options)->wait();
  });
}

// Over Gloo: NCCL's barrier would have to guess a device.
C10D(void, barrier)(JNIEnv* env, jclass, jlong group) {
  guarded(env, [&] {
    c10d::BarrierOptions options;
    options.timeout = groupAt(group).timeout;
    groupAt(group).gloo->barrier(options)->wait();
  });
}
