package main

import "regexp"

// matches holds the places in the list of branches that a pattern is found in.
type matches struct {
	Found []int `json:"found"`
}

// matchAll gives for each pattern the branches it matches, null when it does not compile.
func matchAll(patterns, branches []string) map[string]*matches {
	all := map[string]*matches{}
	for _, pattern := range patterns {
		compiled, err := regexp.Compile(pattern)
		if err != nil {
			all[pattern] = nil
			continue
		}
		found := []int{}
		for place, branch := range branches {
			if compiled.MatchString(branch) {
				found = append(found, place)
			}
		}
		all[pattern] = &matches{found}
	}
	return all
}
