/** The Job controller of the embedded cluster: pods for each Job, and the Job's end from theirs. */
package dev.finetune.local.controller;
