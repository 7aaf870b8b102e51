package ai.djl.pytorch.jni;

import ai.djl.pytorch.engine.PtSymbolBlock;

/**
 * Runs methods of a TorchScript module under the calling thread's grad mode. DJL's public {@code
 * IValueUtils.runMethod} always enters inference mode, in which nothing can be differentiated, and
 * the call without it is package-private; hence this class in DJL's package.
 */
public final class ScriptBridge {
  private ScriptBridge() {}

  /**
   * Runs a method. The arguments stay open.
   *
   * @param module the module
   * @param method the method's name
   * @param arguments its arguments without self
   * @return its result, to be closed by the caller
   * @throws ai.djl.engine.EngineException with the script's trace, if the method fails
   */
  public static IValue run(PtSymbolBlock module, String method, IValue... arguments) {
    long[] handles = new long[arguments.length];
    for (int i = 0; i < handles.length; i++) {
      handles[i] = arguments[i].getHandle();
    }
    boolean train = true;
    boolean separateCudaStream = false;
    return new IValue(
        PyTorchLibrary.LIB.moduleRunMethod(
            module.getHandle(), method, handles, train, separateCudaStream));
  }
}
