/** Our one class in DJL's package: what it needs there is package-private. */
package ai.djl.pytorch.jni;
