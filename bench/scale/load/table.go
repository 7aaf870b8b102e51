package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// row is one line of the table: how its figure is read from a side's results by phase, and whether the
// sides are compared by their ratio to the first one.
type row struct {
	name, format string
	figure       func(map[string]*result) (float64, bool)
}

func spanRow(phase, span, name string, part func(latency) float64) row {
	return row{name, "%.1f", func(by map[string]*result) (float64, bool) {
		r := by[phase]
		if r == nil {
			return 0, false
		}
		l, there := r.Latencies[span]
		return part(l), there
	}}
}

func phaseRow(phase, name, format string, figure func(*result) float64) row {
	return row{name, format, func(by map[string]*result) (float64, bool) {
		r := by[phase]
		if r == nil {
			return 0, false
		}
		return figure(r), true
	}}
}

func p50(l latency) float64 { return l.P50 }
func p99(l latency) float64 { return l.P99 }

func operatorCPU(r *result) float64  { return r.Processes[0].CPUSeconds }
func writesPerJob(r *result) float64 { return float64(r.OperatorWrites) / r.per() }
func load(r *result) float64         { return r.Load }

var rows = []row{
	phaseRow("create", "first create to the last pod, s", "%.1f", func(r *result) float64 { return r.Pods }),
	spanRow("create", "acknowledged to Job created", "create to Job created, p50, s", p50),
	spanRow("create", "acknowledged to Job created", "create to Job created, p99, s", p99),
	spanRow("create", "acknowledged to pod created", "create to pod created, p50, s", p50),
	spanRow("create", "acknowledged to pod created", "create to pod created, p99, s", p99),
	spanRow("create", "acknowledged to Running in the status", "create to Running in the status, p50, s", p50),
	spanRow("create", "acknowledged to Running in the status", "create to Running in the status, p99, s", p99),
	spanRow("complete", "pod Succeeded to Succeeded in the status", "pod Succeeded to job Succeeded, p50, s", p50),
	spanRow("complete", "pod Succeeded to Succeeded in the status", "pod Succeeded to job Succeeded, p99, s", p99),
	{"operator, most memory, MiB", "%.0f", func(by map[string]*result) (float64, bool) {
		most := 0.0
		for _, r := range by {
			if len(r.Processes) > 0 {
				most = max(most, r.Processes[0].PeakMiB)
			}
		}
		return most, most > 0
	}},
	phaseRow("create", "operator, CPU to Running, s", "%.1f", operatorCPU),
	phaseRow("create", "operator, writes a job to Running", "%.2f", writesPerJob),
	{"operator, writes a job to Succeeded", "%.2f", func(by map[string]*result) (float64, bool) {
		create, complete := by["create"], by["complete"]
		if create == nil || complete == nil {
			return 0, false
		}
		return writesPerJob(create) + writesPerJob(complete), true
	}},
	phaseRow("idle-running", "writes a minute, all running, nothing new", "%.0f", writesPerJob),
	phaseRow("training", "writes a minute, all training", "%.0f", writesPerJob),
	phaseRow("idle-succeeded", "writes a minute, all just succeeded", "%.0f", writesPerJob),
	phaseRow("create", "load average at the start", "%.1f", load),
}

// table prints Markdown of result files, one a side, the first side being ours.
func table(w io.Writer, files []string) error {
	var names []string
	var sides []map[string]*result
	n := 0
	for _, file := range files {
		by, err := readResults(file)
		if err != nil {
			return err
		}
		if by["create"] == nil {
			return fmt.Errorf("%s has no phase create", file)
		}
		names = append(names, by["create"].Side)
		n = by["create"].N
		sides = append(sides, by)
	}
	fmt.Fprintf(w, "| %d jobs | %s |\n| --- |%s\n", n, strings.Join(names, " | "), strings.Repeat(" --- |", len(names)))
	for _, row := range rows {
		cells := make([]string, len(sides))
		for i, by := range sides {
			cells[i] = cell(row, by, sides[0], i)
		}
		if strings.Trim(strings.Join(cells, ""), "-") != "" {
			fmt.Fprintf(w, "| %s | %s |\n", row.name, strings.Join(cells, " | "))
		}
	}
	return nil
}

// cell is a figure, and for the other sides how many times ours it is.
func cell(r row, by, ours map[string]*result, side int) string {
	value, there := r.figure(by)
	if !there {
		return "-"
	}
	text := fmt.Sprintf(r.format, value)
	if own, known := r.figure(ours); side > 0 && known && own > 0 && !strings.HasPrefix(r.name, "load") {
		text += fmt.Sprintf(" (%.1f x)", value/own)
	}
	return text
}

func readResults(file string) (map[string]*result, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	by := map[string]*result{}
	for lines := json.NewDecoder(in); ; {
		var r result
		if err := lines.Decode(&r); err == io.EOF {
			return by, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		by[r.Phase] = &r
	}
}
