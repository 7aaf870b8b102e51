/**
 * What Argo CD makes of a FineTuneJob: its Lua scripts of argocd/ in a Lua interpreter, and its two
 * ways to compare and to apply on a real API server.
 */
package dev.finetune.operator.argocd;
