// Command oracle answers questions about templates, patterns and times with Go's own packages.
// It reads a JSON object of questions from standard input and writes one of answers.
package main

import (
	"encoding/json"
	"log"
	"os"
	"runtime"
)

type questions struct {
	Data      map[string]data `json:"data"`
	Templates []string        `json:"templates"`
	Patterns  []string        `json:"patterns"`
	Branches  []string        `json:"branches"`
	Layouts   []string        `json:"layouts"`
	Times     []instant       `json:"times"`
	Moves     []move          `json:"moves"`
}

type answers struct {
	Go        string                        `json:"go"`
	Templates map[string]map[string]*string `json:"templates"`
	Patterns  map[string]*matches           `json:"patterns"`
	Layouts   map[string][]string           `json:"layouts"`
	Moves     [][]string                    `json:"moves"`
}

func main() {
	var asked questions
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatal(err)
	}
	told := answers{
		Go:        runtime.Version(),
		Templates: expandAll(asked.Templates, asked.Data),
		Patterns:  matchAll(asked.Patterns, asked.Branches),
		Layouts:   formatAll(asked.Layouts, asked.Times),
		Moves:     moveAll(asked.Moves, asked.Times),
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		log.Fatal(err)
	}
}
