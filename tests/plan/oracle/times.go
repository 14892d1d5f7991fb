package main

import (
	"log"
	"time"
)

// instant is a time and the zone it is shown in: a name of the zone database, or a fixed offset.
type instant struct {
	Seconds    int64  `json:"seconds"`
	Nanosecond int64  `json:"nanosecond"`
	Zone       string `json:"zone"`
	Fixed      bool   `json:"fixed"`
	Offset     int    `json:"offset"`
}

// move is a call of AddDate, Truncate and Round.
type move struct {
	Years, Months, Days int
	Unit                int64
}

func (asked instant) time() time.Time {
	return time.Unix(asked.Seconds, asked.Nanosecond).In(asked.location())
}

func (asked instant) location() *time.Location {
	if asked.Fixed {
		return time.FixedZone(asked.Zone, asked.Offset)
	}
	location, err := time.LoadLocation(asked.Zone)
	if err != nil {
		log.Fatal(err)
	}
	return location
}

func formatAll(layouts []string, times []instant) map[string][]string {
	all := map[string][]string{}
	for _, layout := range layouts {
		for _, asked := range times {
			all[layout] = append(all[layout], asked.time().Format(layout))
		}
	}
	return all
}

// moveAll gives for each move and each time the results of AddDate, Truncate and Round.
func moveAll(moves []move, times []instant) [][]string {
	all := [][]string{}
	for _, by := range moves {
		told := []string{}
		for _, asked := range times {
			from := asked.time()
			unit := time.Duration(by.Unit)
			told = append(told,
				from.AddDate(by.Years, by.Months, by.Days).String(),
				from.Truncate(unit).String(),
				from.Round(unit).String(),
				from.Sub(from.Truncate(unit)).String())
		}
		all = append(all, told)
	}
	return all
}
