# ruff: noqa: E501  # a template must stand on one line here, and some are long
"""Questions about templates, and the sets of data they are run on."""

from __future__ import annotations

_TIME = {
    "seconds": 1507889663,
    "nanosecond": 123456789,
    "zone": "UTC",
    "fixed": False,
    "offset": 0,
}

DATA: dict[str, dict[str, object]] = {
    "hosted": {
        "ProjectID": "4a9ff2f0-4b13-0135-7fbb-1a4bc7d3ba9c",
        "BuildID": "c43a1c70-2b3a-4d8f-9a57-2a4f1ccf0f35",
        "RepoName": "documentation",
        "Branch": "feature/login_page",
        "CommitID": "0123456789abcdef0123456789abcdef01234567",
        "Commit": "0123456789abcdef0123456789abcdef01234567",
        "CommitMessage": 'Fix <login> & "logout"\n\nIt\'s done: 100% = good',
        "CommitDescription": "v1.2.3-4-g0123456",
        "CommitterName": "Zoë Müller-日本",
        "CommitterEmail": "zoe+ci@example.com",
        "CommitterUsername": "zoe",
        "Timestamp": "1507889663",
        "StringTime": "2017-10-13T10:14:23Z",
        "StepName": "push \t app",
        "ServiceName": "app",
        "ImageName": "registry.example.com:5000/acme/app",
        "Ci": "true",
        "CiName": "codeship",
        "Time": _TIME,
    },
    "local": {
        "Branch": "",
        "CommitID": "",
        "ServiceName": "web",
        "ImageName": "acme/web",
        "StepName": "push_web",
        "Timestamp": "0",
        "Ci": "true",
        "CiName": "codeship",
        "Time": {
            "seconds": 1719874799,
            "nanosecond": 0,
            "zone": "CEST",
            "fixed": True,
            "offset": 7200,
        },
    },
}

_FIELDS = """
{{.ProjectID}}
{{.BuildID}}
{{ .RepoName }}
{{.Branch}}
{{ .Branch }}-{{ .CommitID }}
{{.ServiceName}}.{{.Branch}}
branch-{{.Branch}}
commit-{{.CommitID}}
{{.Commit}}
{{.CommitMessage}}
{{.CommitDescription}}
{{.CommitterName}} <{{.CommitterEmail}}>
{{.CommitterUsername}}
{{.Timestamp}}
{{ .StringTime }}
{{.StepName}}
{{.ImageName}}
{{.Ci}}{{.CiName}}
latest
9.10
{{`{{`}}.Branch{{`}}`}}
{{"{{"}} {{"}}"}}
}}
{
{ {.Branch} }
{{.Nope}}
{{.branch}}
{{.Branch.Name}}
{{.Time.Nope}}
{{. Branch}}
{{.Branch.}}
{{..Branch}}
{{.}.Branch}}
{{$.Branch}}
{{$ .Branch}}
{{$.Time.Year}}
{{$.Nope}}
{{.Branch "x"}}
{{.Branch .CommitID}}
{{"x" | .Branch}}
{{(.Branch)}}
{{((.Branch))}}
{{(.Time).Year}}
{{(.Branch).Year}}
{{((.Time)).Year}}
{{(.Time.UTC).Year}}
{{(.).Branch}}
{{($).Branch}}
{{().Branch}}
{{(.Branch}}
{{.Branch)}}
{{.Branch .}}
{{.Branch,}}
{{.Bränch}}
{{.Branch-}}
{{.Branch-x}}
{{.Branch+1}}
{{.Branch;}}
{{.1}}
{{.Branch_}}
{{._}}
{{.Branch..Name}}
{{
{{}}
{{ }}
{{.Branch
{{.Branch}
{{{.Branch}}}
{{ {.Branch} }}
"""

_TRIM = r"""
a {{- .ServiceName -}} b
a {{- .ServiceName}} b
a {{.ServiceName -}} b
a {{-.ServiceName-}} b
a {{- .ServiceName-}} b
a {{-3}} b
a {{- 3}} b
a {{3 -}} b
a {{3-}} b
a {{- -3 -}} b
a {{-  3  -}} b
a {{-}} b
a {{- }} b
a {{ -}} b
a {{- -}} b
{{- 1 -}} {{- 2 -}}
  {{- 1 }}  {{ 2 -}}
{{/* c */}}x
a {{- /* c */ -}} b
a {{- /* c */}} b
a {{/* c */ -}} b
a {{ /* c */ }} b
a {{/* c */ }} b
a {{/*c*/-}} b
a {{/**/}} b
a {{/* c }} b
a {{/* c */
a {{/* {{x}} */}} b
a {{/* c */ .Branch}} b
a {{.Branch /* c */}} b
a{{/* a
b */}}b
{{- /* */ -}}
{{/* a */}}{{/* b */}}
{{if .Ci -}}  x  {{- end}}
{{if .Ci}} x {{else -}} y {{end -}} z
{{"a"}} {{- " b "}}
{{" a " -}} b
{{- "a" | printf "%s" -}}
"""

_VARIABLES = """
{{$x := 1}}{{$x}}
{{$x := .Branch}}{{$x}}
{{$x:=1}}{{$x}}
{{$x :=1}}{{$x}}
{{$x= 1}}
{{$x := 1}}{{$x = 2}}{{$x}}
{{$x := 1}}{{$x =2}}{{$x}}
{{$x := 1}}{{$x=2}}{{$x}}
{{$x := 1}}{{$x := 2}}{{$x}}
{{$x = 1}}
{{$x = 1}}{{$x}}
{{$x}}
{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}
{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}
{{if true}}{{$x := 1}}{{end}}{{$x}}
{{if $x := .ServiceName}}{{$x}}{{end}}
{{if $x := .Branch}}{{$x}}{{else}}none{{$x}}{{end}}
{{if $x := .Branch}}{{end}}{{$x}}
{{with $x := .Time}}{{$x.Year}}{{.Year}}{{end}}
{{$x, $y := 1}}
{{$t := .Time}}{{$t.Format "2006"}}
{{$t := .Time}}{{$t.Year | printf "%d!"}}
{{$r := .}}{{$r.ServiceName}}
{{$r := $}}{{$r.Nope}}
{{$x := 1}}{{$x 2}}
{{$x := 1}}{{$x.Y}}
{{$x := "a"}}{{printf "%s" $x}}
{{$x := nil}}
{{$x := print nil}}{{$x}}
{{$x := 1 | print}}{{$x}}
{{$x := $y := 1}}
{{$x := }}
{{$x :}}
{{:= 1}}
{{= 1}}
{{$ := 1}}{{$}}
{{$ = .ServiceName}}{{$}}
{{$x.y := 1}}
{{$1 := 2}}{{$1}}
{{$ü := 2}}{{$ü}}
{{$x := 1}}{{$x}}{{$x}}{{$x}}
{{$a := 1}}{{$b := 2}}{{$a}}{{$b}}
{{print $x := 1}}
{{($x := 1)}}{{$x}}
{{if ($x := true)}}{{$x}}{{end}}
{{1 = 2}}
{{.Branch := 1}}
{{$x := 1}}{{define "t"}}{{$x}}{{end}}
{{$x := 1}}{{with .Branch}}{{$.ServiceName}}{{$x}}{{end}}
"""

_LITERALS = r"""
{{1}}
{{-1}}
{{+1}}
{{- 1}}
{{0}}
{{-0}}
{{007}}
{{010}}
{{08}}
{{0x1F}}
{{0X1f}}
{{-0x1F}}
{{0o17}}
{{0O17}}
{{0b101}}
{{0B101}}
{{0b102}}
{{0x}}
{{0xg}}
{{1_000}}
{{1__000}}
{{1_}}
{{_1}}
{{0x_1F}}
{{0_7}}
{{9223372036854775807}}
{{9223372036854775808}}
{{-9223372036854775808}}
{{-9223372036854775809}}
{{18446744073709551615}}
{{18446744073709551616}}
{{1.5}}
{{.5}}
{{5.}}
{{-.5}}
{{1e3}}
{{1E3}}
{{1e+3}}
{{1e-3}}
{{1e-7}}
{{1e20}}
{{1e21}}
{{1e22}}
{{123456789.0}}
{{1234567.5}}
{{100000.0}}
{{1000000.0}}
{{0.0001}}
{{0.00001}}
{{1e400}}
{{1e}}
{{1.2.3}}
{{0x1p4}}
{{0x1.8p1}}
{{0x1.8}}
{{1p4}}
{{1_0.5}}
{{1.5_0}}
{{1i}}
{{2.5i}}
{{1+2i}}
{{1-2i}}
{{1.5e1+2e1i}}
{{1+2}}
{{1 + 2}}
{{12abc}}
{{'a'}}
{{'ä'}}
{{'日'}}
{{'\n'}}
{{'\''}}
{{'\x41'}}
{{'\101'}}
{{'\u00e9'}}
{{'\U0001F600'}}
{{'\"'}}
{{''}}
{{'ab'}}
{{'a}}
{{"a"}}
{{"a\tb\n\\\""}}
{{"\x41\101\u00e9\U0001F600"}}
{{"\a\b\f\v\r"}}
{{"\'"}}
{{"\q"}}
{{"\400"}}
{{"\xff"}}
{{"\ud800"}}
{{"\U00110000"}}
{{"\x4"}}
{{"a
{{"a}}
{{`a\n"b"`}}
{{`a
b`}}
{{`a}}
{{""}}
{{``}}
{{true}}
{{false}}
{{True}}
{{nil}}
{{nil | print}}
{{print nil}}
{{print nil nil}}
{{"a""b"}}
{{"a" "b"}}
{{1 2}}
{{true false}}
{{"a".Foo}}
{{1.Foo}}
{{true.Foo}}
{{nil.Foo}}
{{"é" | len}}
{{'a' | printf "%c"}}
{{printf "%T %T %T %T %T" 1 1.0 'a' "s" true}}
{{printf "%T %T %T" 1e3 0x10 1i}}
{{printf "%T" nil}}
{{printf "%T" -0xE}}
{{printf "%T" 1E}}
"""

_FUNCTIONS = r"""
{{len .Branch}}
{{len .CommitterName}}
{{len ""}}
{{len 3}}
{{len nil}}
{{len .Time}}
{{len}}
{{len "a" "b"}}
{{.Branch | len}}
{{index "abc" 1}}
{{index "abc" 0 | printf "%c"}}
{{index "abc" 3}}
{{index "abc" -1}}
{{index "é" 0}}
{{index "abc"}}
{{index "abc" "1"}}
{{index "abc" 1.0}}
{{index "abc" 'a'}}
{{index "abc" nil}}
{{index "abc" true}}
{{index "abc" 1 1}}
{{index nil 1}}
{{index 5 1}}
{{index .Time 1}}
{{index}}
{{printf "%T" (index "abc" 1)}}
{{slice .CommitID 0 7}}
{{slice "abcdef" 2}}
{{slice "abcdef" 2 4}}
{{slice "abcdef"}}
{{slice "abcdef" 4 2}}
{{slice "abcdef" 0 7}}
{{slice "abcdef" 6}}
{{slice "abcdef" 6 6}}
{{slice "abcdef" -1}}
{{slice "abcdef" 1 2 3}}
{{slice "日本語" 0 4}}
{{slice "日本語" 0 3}}
{{slice 5 1}}
{{slice nil}}
{{slice}}
{{slice "abc" "1"}}
{{print}}
{{print "a"}}
{{print "a" "b"}}
{{print 1 2}}
{{print 1 "a" 2}}
{{print "a" 1 2 "b"}}
{{print 1.5 true nil}}
{{print .Time}}
{{print(1)}}
{{print (1)}}
{{print (print 1) (print 2)}}
{{print print}}
{{print .Branch .ServiceName}}
{{println}}
{{println "a" 1 true}}
{{println .Branch .ServiceName}}
{{html .CommitMessage}}
{{html "a" 1 2}}
{{html}}
{{html nil}}
{{.CommitMessage | html}}
{{html "\x00'"}}
{{js .CommitMessage}}
{{js "a\\b\t\u00e9\u2028=\x7f"}}
{{js "\xff"}}
{{js 1 2}}
{{urlquery .CommitMessage}}
{{urlquery .CommitterName .CommitterEmail}}
{{urlquery "a b/c?d=e&f~g_h-i.j*k'()!"}}
{{urlquery 1}}
{{html .Time}}
{{not true}}
{{not 0}}
{{not ""}}
{{not .Time}}
{{not nil}}
{{not}}
{{not 1 2}}
{{.Branch | not}}
{{and true false}}
{{and 1 2 3}}
{{and 1 0 3}}
{{and "" .Nope}}
{{and "" (index "a" 5)}}
{{and 1 (index "a" 5)}}
{{and}}
{{and nil 1}}
{{and 1 nil}}
{{or "" "x"}}
{{or .Branch "master"}}
{{or 0 "" false}}
{{or 1 (index "a" 5)}}
{{or}}
{{or nil "x"}}
{{or "" nil}}
{{"x" | or ""}}
{{"x" | and ""}}
{{"" | or .Branch .ServiceName}}
{{or (and .Branch .CommitID) "none"}}
{{call .Branch}}
{{call}}
{{call nil}}
{{foo}}
{{foo .Branch}}
{{.Branch | foo}}
{{lower .Branch}}
{{Print 1}}
{{printf}}
{{print.Foo}}
{{(print "x").Foo}}
{{(print).Foo}}
{{.Branch | printf "%.7s"}}
{{.Branch | printf "%s-%s" .ServiceName}}
{{printf "%s-%s" .ServiceName .Branch}}
{{.Branch | print | len | printf "%03d"}}
{{.Branch | }}
{{| .Branch}}
{{.Branch | | print}}
{{.Branch || print}}
{{1 | 2}}
{{.Branch | "x"}}
{{.Branch | .ServiceName}}
{{.Branch | .}}
{{.Branch | $}}
{{.Branch | true}}
{{.Branch | nil}}
{{.Branch | (print)}}
{{.Branch | (print "x")}}
{{(print "x") .Branch}}
{{(.Branch | len) | print}}
{{print (.Branch | len) (1 | print)}}
{{print (len .ServiceName | printf "%d%d" 1)}}
{{. | print}}
{{with .}}{{.ServiceName}}{{end}}
{{print "(" ")"}}
{{printf "%d" (len (print (slice .CommitDescription 0 0)))}}
"""

_COMPARISONS = r"""
{{eq 1 1}}
{{eq 1 2}}
{{eq 1 2 3 1}}
{{eq 1 2 3 4}}
{{eq .Branch "master"}}
{{eq .ServiceName "app" "web"}}
{{eq "a" "a" 1}}
{{eq "a" "b" 1}}
{{eq 1 "1"}}
{{eq 1 1.0}}
{{eq 1.5 1.5}}
{{eq true true}}
{{eq true 1}}
{{eq nil nil}}
{{eq nil 1}}
{{eq 1 nil}}
{{eq 1}}
{{eq}}
{{eq .Time .Time}}
{{eq .Time .Time.UTC}}
{{eq .Time 1}}
{{eq 1 .Time}}
{{eq .Time.Year 2017}}
{{eq .Time.Month 10}}
{{eq .Time.Month "October"}}
{{eq .Time.Weekday .Time.Month}}
{{eq .Time.Unix 1507889663}}
{{eq (index "a" 0) 97}}
{{eq (index "a" 0) 'a'}}
{{eq 97 (index "a" 0)}}
{{eq -1 (index "a" 0)}}
{{eq 1i 1i}}
{{eq 1i 1}}
{{eq .Time.MarshalText .Time.MarshalText}}
{{eq "a" .Time.MarshalText}}
{{eq .Time.MarshalText "a"}}
{{1 | eq 1}}
{{"app" | eq .ServiceName}}
{{ne 1 2}}
{{ne 1 1}}
{{ne .Branch ""}}
{{ne 1 "1"}}
{{ne 1 2 3}}
{{ne 1}}
{{ne nil nil}}
{{lt 1 2}}
{{lt 2 1}}
{{lt "a" "b"}}
{{lt "B" "a"}}
{{lt "é" "z"}}
{{lt 1.5 2.5}}
{{lt 1 1.5}}
{{lt 1 "2"}}
{{lt true false}}
{{lt .Time .Time}}
{{lt nil 1}}
{{lt 1i 2i}}
{{lt 1}}
{{lt (index "a" 0) 98}}
{{lt -1 (index "a" 0)}}
{{le 1 1}}
{{le 2 1}}
{{le "a" "a"}}
{{gt 2 1}}
{{gt 1 1}}
{{gt .Time.Hour 9}}
{{gt (index "a" 0) -1}}
{{ge 1 1}}
{{ge 1 2}}
{{ge "b" "a"}}
{{ge .Time.Unix 0}}
{{not (eq .Branch "master")}}
{{and (eq .ServiceName "app") (ne .Branch "")}}
{{eq (len .CommitID) 40}}
{{eq (slice .CommitDescription 0 1) "v"}}
{{lt .Time.Month 11}}
{{eq . .}}
{{eq . 1}}
{{eq .Time.Location .Time.Location}}
{{lt .Time.Location .Time.Location}}
"""

_BLOCKS = r"""
{{if .Branch}}{{.Branch}}{{else}}none{{end}}
{{if .Branch}}b{{end}}
{{if true}}{{end}}
{{if}}x{{end}}
{{if true}}x
{{if true}}x{{else}}y
{{if true}}x{{else}}y{{else}}z{{end}}
{{if eq .ServiceName "app"}}1{{else if eq .ServiceName "web"}}2{{else}}3{{end}}
{{if false}}1{{else if false}}2{{else if true}}3{{else}}4{{end}}
{{if false}}1{{else if false}}2{{end}}
{{if false}}1{{else if}}2{{end}}
{{if false}}1{{else}}{{if true}}2{{end}}{{end}}
{{if false}}1{{elseif true}}2{{end}}
{{if true}}1{{else 5}}2{{end}}
{{if 0}}t{{else}}f{{end}}
{{if 0.0}}t{{else}}f{{end}}
{{if 1i}}t{{else}}f{{end}}
{{if ""}}t{{else}}f{{end}}
{{if "0"}}t{{else}}f{{end}}
{{if nil}}t{{else}}f{{end}}
{{if .Time}}t{{else}}f{{end}}
{{if .Time.IsZero}}t{{else}}f{{end}}
{{if .}}t{{else}}f{{end}}
{{if .Time.MarshalText}}t{{end}}
{{if not .Branch}}t{{else}}f{{end}}
{{if and .Branch .CommitID}}t{{else}}f{{end}}
{{if .Branch | len}}t{{else}}f{{end}}
{{if (.Branch)}}t{{else}}f{{end}}
{{if true false}}t{{end}}
{{if .Ci}}{{if .Branch}}a{{else}}b{{end}}{{else}}c{{end}}
{{if false}}{{.Branch.Nope}}{{end}}ok
{{if false}}{{foo}}{{end}}ok
{{end}}
{{else}}
x{{end}}y
{{if true}}x{{end}}{{end}}
{{if true}}x{{end }}y
{{if true}}x{{end 1}}y
{{with .Branch}}{{.}}{{else}}none{{end}}
{{with .Branch}}{{.Nope}}{{else}}none{{end}}
{{with .Time}}{{.Year}}-{{.YearDay}}{{end}}
{{with .Time.Year}}{{.}}{{end}}
{{with 0}}x{{else}}{{.ServiceName}}{{end}}
{{with .Branch}}1{{else with .ServiceName}}2{{end}}
{{with .Branch}}1{{else if .ServiceName}}2{{end}}
{{with}}x{{end}}
{{with nil}}x{{end}}
{{with "x"}}{{.}}{{$.ServiceName}}{{end}}
{{with $x := "x"}}{{$x}}{{.}}{{end}}
{{with .Time}}{{with .Month}}{{.}}{{end}}{{end}}
{{range .Branch}}x{{end}}
{{range 3}}x{{end}}
{{range .Time}}x{{end}}
{{range nil}}x{{end}}
{{range}}x{{end}}
{{range .}}x{{end}}
{{range .Time.MarshalText}}{{.}},{{end}}
{{range $c := .Time.MarshalText}}{{printf "%c" $c}}{{end}}
{{range $i, $c := .Time.MarshalText}}{{$i}}{{printf "%c" $c}}{{end}}
{{range $i, $c := .Time.MarshalText}}{{if eq $i 4}}{{break}}{{end}}{{printf "%c" $c}}{{end}}
{{range $i, $c := .Time.MarshalText}}{{if lt $i 5}}{{continue}}{{end}}{{printf "%c" $c}}{{end}}
{{range $i, $c := .Time.MarshalText}}{{if eq $i 2}}{{break}}{{end}}{{range slice $.Time.MarshalText 0 2}}{{.}}{{continue}}x{{end}};{{end}}
{{range slice .Time.MarshalText 0 0}}x{{else}}empty{{end}}
{{range slice .Time.MarshalText 0 2}}x{{else}}empty{{end}}
{{range $i, $c, $d := .Time.MarshalText}}{{end}}
{{range $i, 5 := .Time.MarshalText}}{{end}}
{{range $i, $c = .Time.MarshalText}}{{end}}
{{$c := 0}}{{range $c = slice .Time.MarshalText 0 2}}{{$c}};{{end}}{{$c}}
{{$i := 9}}{{$c := 9}}{{range $i, $c = slice .Time.MarshalText 0 3}}{{end}}{{$i}}{{$c}}
{{$n := 0}}{{range .Time.MarshalText}}{{$n = len (print $n "x")}}{{end}}{{$n}}
{{range $i := .Time.MarshalText}}{{end}}{{$i}}
{{break}}
{{continue}}
{{if true}}{{break}}{{end}}
{{range .Time.MarshalText}}{{break 1}}{{end}}
{{range .Time.MarshalText}}{{define "t"}}x{{end}}{{end}}
{{range .Time.MarshalText}}{{block "t" .}}{{break}}{{end}}{{end}}
{{define "t"}}<{{.}}>{{end}}{{template "t" .Branch}}
{{define "t"}}<{{.}}>{{end}}{{template "t"}}
{{define "t"}}<{{.ServiceName}}>{{end}}{{template "t" .}}
{{define "t"}}<{{$.ServiceName}}>{{end}}{{template "t" $}}
{{define "t"}}<{{$}}>{{end}}{{template "t" 5}}
{{define "t"}}x{{end}}
{{template "t" .}}{{define "t"}}late{{end}}
{{template "t"}}
{{template "t" .}}
{{template}}
{{template t}}
{{template .Branch}}
{{template "t" 1 2}}{{define "t"}}{{.}}{{end}}
{{template `t` 1}}{{define "t"}}{{.}}{{end}}
{{template "t" $x := 1}}{{define "t"}}{{.}}{{end}}
{{define "t"}}1{{end}}{{define "t"}}2{{end}}{{template "t"}}
{{define "t"}}1{{end}}{{define "t"}} {{end}}{{template "t"}}
{{define "t"}} {{end}}{{define "t"}}2{{end}}{{template "t"}}
{{define "t"}}{{template "u" .}}{{end}}{{define "u"}}u{{.}}{{end}}{{template "t" 1}}
{{define "t"}}x
{{define t}}x{{end}}
{{define}}x{{end}}
{{define "t" .}}x{{end}}
{{define "t"}}x{{else}}y{{end}}
{{if true}}{{define "t"}}x{{end}}{{end}}
{{define "t"}}{{define "u"}}x{{end}}{{end}}
{{define "t"}}{{.Nope}}{{end}}x
{{block "t" .}}{{.ServiceName}}{{end}}
{{block "t" .Branch}}<{{.}}>{{end}}{{template "t" 1}}
{{block "t"}}x{{end}}
{{block "t" .}}x{{else}}y{{end}}
{{block "t" .}}x
{{if true}}{{block "t" .}}x{{end}}{{end}}
{{$x := 1}}{{block "t" .}}{{$x}}{{end}}
{{define "t"}}{{if .}}{{.}}{{template "t" slice . 1}}{{end}}{{end}}{{template "t" "abc"}}
{{template "" .}}
{{define ""}}x{{end}}a
{{nil := 1}}
{{if := 1}}
{{range := 1}}
{{define := 1}}
{{.if}}
{{.end}}
{{$if := 1}}{{$if}}
{{if.Branch}}x{{end}}
{{if(true)}}x{{end}}
{{if"x"}}x{{end}}
{{template"t"}}{{define"t"}}x{{end}}
"""

_TIME_METHODS = r"""
{{.Time}}
{{.Time.String}}
{{.Time.Format "20060102"}}
{{.Time.Format "20060102150405"}}
{{ .Time.Format "2006-01-02T15:04:05Z07:00" }}
{{.Time.Format "Mon Jan _2 15:04:05.000 MST 2006"}}
{{.Time.Format `Jan "2"`}}
{{.Time.Format}}
{{.Time.Format 2006}}
{{.Time.Format nil}}
{{.Time.Format true}}
{{.Time.Format "a" "b"}}
{{.Time.Format .Branch}}
{{.Time.Format (print "2006" "01")}}
{{"2006" | .Time.Format}}
{{.Time.Format "2006" | printf "v%s"}}
{{(.Time.Format "2006").Foo}}
{{.Time.Unix}}
{{.Time.UnixNano}}
{{.Time.UnixMilli}}
{{.Time.UnixMicro}}
{{.Time.Unix | printf "%T %x %d" 1 2}}
{{printf "%x" .Time.Unix}}
{{printf "%T" .Time.Unix}}
{{.Time.UTC}}
{{.Time.UTC.Format "15:04"}}
{{.Time.Year}}{{.Time.YearDay}}
{{.Time.Month}}
{{printf "%d" .Time.Month}}
{{printf "%02d" .Time.Month}}
{{printf "%s|%v|%q|%x|%T|%5d|%t" .Time.Month .Time.Month .Time.Month .Time.Month .Time.Month .Time.Month .Time.Month}}
{{printf "%-12s|%12v|%.3s" .Time.Month .Time.Month .Time.Month}}
{{.Time.Month.String}}
{{.Time.Month.Foo}}
{{len .Time.Month}}
{{len .Time.Month.String}}
{{.Time.Day}}
{{.Time.Weekday}}
{{printf "%d %T" .Time.Weekday .Time.Weekday}}
{{.Time.Weekday.String | len}}
{{.Time.Hour}}:{{.Time.Minute}}:{{.Time.Second}}.{{.Time.Nanosecond}}
{{printf "%04d%02d%02d" .Time.Year .Time.Month .Time.Day}}
{{printf "%d%02d" .Time.Year .Time.YearDay}}
{{.Time.IsZero}}
{{.Time.IsDST}}
{{.Time.Location}}
{{.Time.UTC.Location}}
{{.Time.Location.String}}
{{.Time.In .Time.UTC.Location}}
{{.Time.In nil}}
{{.Time.In "UTC"}}
{{.Time.Date}}
{{.Time.Clock}}
{{.Time.ISOWeek}}
{{.Time.Zone}}
{{.Time.AddDate 0 0 1}}
{{.Time.AddDate 0 1 -1}}
{{(.Time.AddDate 1 0 0).Year}}
{{(.Time.AddDate 0 0 1).Format "2006-01-02"}}
{{.Time.AddDate}}
{{.Time.AddDate 1}}
{{.Time.AddDate 0 0 1.0}}
{{.Time.AddDate 0 0 1.5}}
{{.Time.AddDate 0 0 "1"}}
{{.Time.AddDate 0 0 .Time.Day}}
{{.Time.AddDate 0 0 .Time.Month}}
{{.Time.AddDate 0 0 .Time.Unix}}
{{.Time.AddDate 0 0 (len .ServiceName)}}
{{.Time.AddDate 0 0 'a'}}
{{.Time.AddDate.Year}}
{{1 | .Time.AddDate 0 0}}
{{.Time.Add 3600000000000}}
{{.Time.Add 1e9}}
{{.Time.Add "1h"}}
{{.Time.Add .Time.Day}}
{{.Time.Add (.Time.Sub .Time)}}
{{.Time.Sub .Time}}
{{.Time.Sub (.Time.AddDate 0 0 -1)}}
{{(.Time.Sub (.Time.AddDate 0 0 -1)).Hours}}
{{(.Time.Sub (.Time.Truncate 3600000000000)).Minutes}}
{{(.Time.Sub (.Time.Truncate 3600000000000)).Seconds}}
{{(.Time.Sub (.Time.Truncate 3600000000000)).Milliseconds}}
{{(.Time.Sub (.Time.Truncate 3600000000000)).Nanoseconds}}
{{(.Time.Sub (.Time.Truncate 3600000000000)).Round 60000000000}}
{{(.Time.Sub (.Time.Truncate 3600000000000)).Truncate 60000000000}}
{{printf "%d %s %v %T %x %q" (.Time.Sub (.Time.Add -1500)) (.Time.Sub (.Time.Add -1500)) (.Time.Sub (.Time.Add 1500000)) (.Time.Sub .Time) (.Time.Sub .Time) (.Time.Sub .Time)}}
{{.Time.Truncate 3600000000000}}
{{.Time.Round 3600000000000}}
{{.Time.Truncate 86400000000000}}
{{.Time.Before .Time}}
{{.Time.After (.Time.AddDate 0 0 -1)}}
{{.Time.Equal .Time.UTC}}
{{.Time.Before 1}}
{{.Time.Before "x"}}
{{.Time.MarshalText}}
{{printf "%s" .Time.MarshalText}}
{{printf "%s" .Time.MarshalJSON}}
{{printf "%x|%q|%v|%d|%T|%c|%t|%#v|%X|%5d" (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2) .Time.MarshalText (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2) (slice .Time.MarshalText 0 2)}}
{{len .Time.MarshalText}}
{{index .Time.MarshalText 0}}
{{index .Time.MarshalText 99}}
{{slice .Time.MarshalText 0 4 | printf "%s"}}
{{slice .Time.MarshalText 0 4 10 | len}}
{{slice .Time.MarshalText 4 2}}
{{printf "%s" (.Time.AppendFormat nil "2006")}}
{{printf "%s" (.Time.AppendFormat (slice .Time.MarshalText 0 1) "2006")}}
{{.Time.AppendFormat "x" "2006"}}
{{.Time.GoString}}
{{printf "%v|%+v|%s|%q" .Time .Time .Time .Time}}
{{printf "%#v" .Time}}
{{printf "%x" .Time}}
{{printf "%40s|%-40v|%.10s" .Time .Time .Time}}
{{printf "%T" .Time}}
{{printf "%T" .Time.Location}}
{{printf "%s" .Time.Location}}
{{.Time.Time}}
{{.Time.year}}
{{.Time.Year 1}}
{{.Time.Year.String}}
{{.Time.wall}}
{{html .Time.MarshalText}}
{{urlquery .Time.Month}}
{{print .Time.Month .Time.Day}}
{{println .Time.Month .Time.Day}}
"""

_FOUND_BY_FUZZING = r"""
{{$ := .Time}}{{$.Year}}
{{$ = .Time}}{{$.Year}}
{{with $ := .Time}}{{$.Year}}{{end}}
{{$ = .Time}}{{define "x"}}{{$.Branch}}{{end}}{{template "x" .}}
{{html "a" nil}}
{{html nil 1}}
{{html nil nil}}
{{js nil "a" 2 3}}
{{urlquery nil 1 2}}
{{eq .Time.MarshalText nil}}
{{ne .Time.MarshalText nil}}
{{eq nil .Time.MarshalText}}
{{eq .Time.MarshalText}}
{{eq .Time.MarshalText "a"}}
{{eq .Time.MarshalText .Time.MarshalText}}
{{eq .Time .Time.Location}}
{{ne .Time.Location .Time}}
{{eq .Time.Location .}}
{{eq .Time.Location .Time.Location}}
{{eq .Time .}}
{{.Time.Add 1+0i}}
{{.Time.Add 0i}}
{{.Time.Add 1.5+0i}}
{{.Time.Add 1+1i}}
{{printf "%d" 1+0i}}
{{print 1+0i 0i}}
{{slice .Branch 0+0i 1}}
{{index .Branch 0i}}
{{eq 1+0i 1}}
"""


def _lines(block: str) -> list[str]:
    return [line for line in block.strip("\n").split("\n") if line]


_WITH_NEWLINES = [
    "",
    "\n",
    "{{.Branch}}\n",
    "{{if .Ci}}\n  yes\n{{- else}}\n  no\n{{- end}}\n",
    "a\n\n{{- .ServiceName -}}\n\nb",
    "{{\n.ServiceName\n}}",
    '{{ printf "%s"\n  .ServiceName\n  | len }}',
    "{{\t.ServiceName\t}}",
    "{{\r\n.ServiceName\r\n}}",
    "a\r\n{{- .ServiceName -}}\r\nb",
    "a \t{{- .ServiceName -}}\t b",
    "a\u00a0{{- .ServiceName -}}\u00a0b",
    "{{.ServiceName\u00a0}}",
    "{{`a\r\nb`}}",
    '{{"a\nb"}}',
    "{{/* one\ntwo */}}x",
    "x\x00y{{.ServiceName}}",
    "{{\x00}}",
    "{{.ServiceName\x00}}",
    "日本{{.ServiceName}}語",
    "{{ “.ServiceName” }}",
    "{{ .ServiceName｝｝",
    "{{-\n1\n-}}",
    "{{- \n 1 \n -}}",
    "{{print\n}}",
    '{{"\\\n"}}',
]

TEMPLATES = list(
    dict.fromkeys(
        [
            *_lines(_FIELDS),
            *_lines(_TRIM),
            *_lines(_VARIABLES),
            *_lines(_LITERALS),
            *_lines(_FUNCTIONS),
            *_lines(_COMPARISONS),
            *_lines(_BLOCKS),
            *_lines(_TIME_METHODS),
            *_lines(_FOUND_BY_FUZZING),
            *_WITH_NEWLINES,
        ]
    )
)
