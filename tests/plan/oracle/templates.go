package main

import (
	"bytes"
	"strings"
	"text/template"
	"time"
)

// data is what the hosted service gave every template (spec P-12).
type data struct {
	ProjectID, BuildID, RepoName, Branch, CommitID, Commit  string
	CommitMessage, CommitDescription                        string
	CommitterName, CommitterEmail, CommitterUsername        string
	Timestamp, StringTime, StepName, ServiceName, ImageName string
	Ci, CiName                                              string
	At                                                      instant   `json:"Time"`
	Time                                                    time.Time `json:"-"`
}

// expandAll gives for each template the result on each set of data, null for an error.
func expandAll(texts []string, sets map[string]data) map[string]map[string]*string {
	all := map[string]map[string]*string{}
	for _, text := range texts {
		all[text] = map[string]*string{}
		for name, set := range sets {
			set.Time = set.At.time()
			all[text][name] = expand(text, set)
		}
	}
	return all
}

func expand(text string, set data) *string {
	parsed, err := template.New("longshore").Parse(text)
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, set); err != nil {
		return nil
	}
	result := strings.ToValidUTF8(out.String(), "\ufffd")
	return &result
}
