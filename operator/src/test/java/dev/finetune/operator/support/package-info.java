/**
 * What the tests on a real API server stand on: the API server itself, the packaged operator as a
 * process, and the test in the parts of Kubernetes' controllers and kubelet.
 */
package dev.finetune.operator.support;
