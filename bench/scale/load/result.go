package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"time"
)

// result is what one phase gave.
type result struct {
	Side, Phase, Mode string
	N                 int
	Start             time.Time
	Load              float64 // the machine's load average of the minute before
	WallSeconds       float64
	ClientSeconds     float64 // that the client took for its own requests
	Pods              float64 // seconds until the last job had a pod
	TimedOut          bool
	Errors            int64
	// jobs of which more than one pod or Job was ever seen; must be 0
	JobsWithSeveralPods int
	Latencies           map[string]latency
	Processes           []*process
	Requests            requests
	OperatorWrites      int
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "== %s %s, n=%d: client %.2f s, all pods %.2f s, end %.2f s, timed out %v, errors %d, jobs with several pods %d, load %.1f\n",
		r.Side, r.Phase, r.N, r.ClientSeconds, r.Pods, r.WallSeconds, r.TimedOut, r.Errors, r.JobsWithSeveralPods, r.Load)
	for _, span := range spans {
		if l, there := r.Latencies[span.name]; there {
			fmt.Fprintf(w, "  %-42s n=%d min %.2f p50 %.2f p90 %.2f p99 %.2f max %.2f s\n", span.name, l.N, l.Min, l.P50, l.P90, l.P99, l.Max)
		}
	}
	for _, p := range r.Processes {
		fmt.Fprintf(w, "  %-26s %4.0f -> peak %4.0f -> %4.0f MiB, %6.2f s CPU\n", p.Name, p.StartMiB, p.PeakMiB, p.EndMiB, p.CPUSeconds)
	}
	keys := make([]string, 0, len(r.Requests))
	for key := range r.Requests {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Fprintf(w, "  %8d  %8.2f a %-7s %s\n", r.Requests[key], float64(r.Requests[key])/r.per(), r.unit(), key)
	}
}

func (r *result) per() float64 {
	if r.Mode == "idle" {
		return r.WallSeconds / 60
	}
	return float64(r.N)
}

func (r *result) unit() string {
	if r.Mode == "idle" {
		return "minute"
	}
	return "job"
}

func (r *result) append(file string) error {
	if file == "" {
		return nil
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	return json.NewEncoder(out).Encode(r)
}
