module finetune.dev/bench/scale/load

go 1.26.0
