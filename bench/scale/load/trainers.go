package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// trainers answers GET /progress for any number of trainers.
type trainers struct {
	mode  string
	start time.Time
}

// serveTrainers serves until the process is ended.
func serveTrainers(arguments []string) error {
	f := flag.NewFlagSet("trainers", flag.ExitOnError)
	listen := f.String("listen", ":8080", "address to listen at")
	mode := f.String("mode", "", "file that holds `still`, where every answer is the same, or `moving`: a step a second")
	_ = f.Parse(arguments)
	t := &trainers{mode: *mode, start: time.Now()}
	http.HandleFunc("GET /progress", t.answer)
	return http.ListenAndServe(*listen, nil)
}

func (t *trainers) answer(w http.ResponseWriter, _ *http.Request) {
	step := 1
	if text, _ := os.ReadFile(t.mode); strings.TrimSpace(string(text)) == "moving" {
		step += int(time.Since(t.start).Seconds())
	}
	const total, perEpoch = 10000, 2000
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"training":{"epoch":%.4f,"totalEpochs":5,"epochText":"%.1f/5","step":%d,"totalSteps":%d,"loss":%.4f,
		"learningRate":0.0001,"gradientNorm":0.71,"tokensPerSecond":9100,"progressPercentage":%d,"remainingSeconds":%d},
		"dataset":{"rows":10000,"dropped":0},"parameters":{"trainable":5120000,"total":494000000}}`,
		float64(step)/perEpoch, float64(step)/perEpoch, step, total, 2-float64(step)/total, step*100/total, total-step)
}
