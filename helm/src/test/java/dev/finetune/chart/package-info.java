/** What the Helm chart renders, refuses and permits; Helm itself, as a library, renders it. */
package dev.finetune.chart;
