"""The kinds of problems of files, YAML, and of keys and values in general."""

from __future__ import annotations

from longshore.config import codes
from longshore.config.kind import SERVICES, Kind

KINDS = (
    Kind(
        codes.NO_FILE,
        "no-file",
        "No services or steps file",
        "The project directory holds none of the names a services (or steps) file may have. The "
        "ending .yaml and capital letters are not among them.",
        "Run longshore in the project's directory, name it with --dir, or name the file with "
        "--services-path or --steps-path.",
    ),
    Kind(
        codes.UNREADABLE,
        "unreadable",
        "A file cannot be read",
        "The operating system refuses to open the file, or it is a directory.",
        "Correct the path given with --services-path or --steps-path, or the rights of the file.",
    ),
    Kind(
        codes.TOO_LARGE,
        "too-large",
        "The file is too large",
        "Files of more than 10 MiB are not read: no pipeline needs them, and reading one would "
        "take minutes.",
        "Check that it is the right file.",
    ),
    Kind(
        codes.ENCODING,
        "encoding",
        "The file is not text",
        "The file holds bytes that are not UTF-8 (or UTF-16 with a byte order mark), or control "
        "characters that YAML does not allow.",
        "Save it as UTF-8 text.",
        "- service: app\n  command: echo \x07\n",
    ),
    Kind(
        codes.SYNTAX,
        "yaml-syntax",
        "The file is not valid YAML",
        "The text breaks the grammar of YAML at the place shown; nothing after it was read.",
        "Most often: indent with the same number of spaces, close quotes and brackets, and quote "
        'a text that contains ": " or begins with one of @ ` % [ {.',
        "- service: app\n  command: echo: hello: world\n",
    ),
    Kind(
        codes.TOO_DEEP,
        "too-deep",
        "Nested too deeply",
        "Lists and maps stand more than 200 levels deep in each other (100 groups of steps).",
        "Use fewer levels.",
    ),
    Kind(
        codes.TOO_MANY,
        "too-many",
        "Too many values or steps",
        "With its aliases written out the file has more than 120,000 values, or its groups with "
        '"services" make more than 100,000 steps.',
        "Split the pipeline, and avoid aliases of aliases.",
    ),
    Kind(
        codes.SEVERAL_DOCUMENTS,
        "several-documents",
        "Several documents in one file",
        'A line "---" begins a second YAML document; only one would be read.',
        "Remove the line, or what follows.",
        "- service: app\n  command: ls\n---\n- service: app\n  command: make\n",
    ),
    Kind(
        codes.DUPLICATE_KEY,
        "duplicate-key",
        "A key twice in one map",
        "The same key stands twice in one map, so one of its values would be lost. Overriding a "
        "key that came by a merge key (<<) is no duplicate.",
        "Remove one; where a new list item was meant, add the missing dash.",
        "- service: app\n  command: ls\n  service: app\n  command: make\n",
    ),
    Kind(
        codes.ALIAS,
        "alias",
        "An alias without its anchor",
        "An alias (*name) refers to an anchor (&name) that does not stand above it, or to the "
        "value it stands in.",
        "Define the anchor above its first use.",
        "- service: *app\n  command: ls\n",
    ),
    Kind(
        codes.MERGE,
        "merge",
        "A merge key without a map",
        "The merge key << takes a map, or a list of maps; usually an alias.",
        "Write <<: *NAME, where &NAME stands before a map.",
        "- <<: app\n  service: app\n  command: ls\n",
    ),
    Kind(
        codes.EMPTY_FILE,
        "empty-file",
        "An empty file",
        "The services file defines no service (an error), or the steps file has no steps (a "
        "warning: such a run succeeds without doing anything).",
        "Write at least one service and one step.",
        "# nothing here yet\n",
        SERVICES,
    ),
    Kind(
        codes.TOP_LEVEL,
        "top-level",
        "The wrong kind of file",
        "A services file must be a map of services, a steps file a list of steps.",
        "Check that the two files were not exchanged, and that each step begins with a dash.",
        "service: app\ncommand: ls\n",
    ),
    Kind(
        codes.FALLBACK_NAME,
        "fallback-name",
        "A file under another name",
        "A file with an old name (jet-…) or a docker-compose.yml was read because no "
        "codeship-services.yml or codeship-steps.yml is there.",
        "Rename the file, or name it with --services-path or --steps-path.",
    ),
    Kind(
        codes.KEY_NOT_TEXT,
        "key-not-text",
        "A key that is no text",
        "A list or a map stands where a key is expected.",
        "Quote the key.",
        "- service: app\n  command: ls\n  [a, b]: c\n",
    ),
    Kind(
        codes.MISSING_FILE,
        "missing-file",
        "A named file does not exist",
        "An environment file, credentials file or Dockerfile that the services or steps name is "
        "not there. It is a warning, because an earlier step may write it; a step that needs it "
        "fails.",
        "Create the file, or correct the path. Paths are relative to the directory of the services "
        "file, a Dockerfile's to its context.",
        "app:\n  build: .\n  env_file: missing.env\n",
        SERVICES,
    ),
    Kind(
        codes.MORE_PROBLEMS,
        "more-problems",
        "More problems than are shown",
        "Only the first 1,000 problems are told.",
        "Correct those first.",
    ),
    Kind(
        codes.UNDECRYPTABLE,
        "undecryptable",
        "Something encrypted that is not opened",
        "An encrypted file or value was tried with the project's key, and is not what that key "
        "encrypted, or was changed since; without a key nothing is tried. Or env_file, which takes "
        "plain text, names an encrypted file, or one that is no text.",
        "Use the key it was encrypted with, or encrypt it again with this one. Name an encrypted "
        "file under encrypted_env_file.",
    ),
    Kind(
        codes.WRONG_TYPE,
        "wrong-type",
        "The wrong shape of value",
        "A key has a list where a text is expected, a text where a map is expected, and so on.",
        "Write the value in the shape the message names; the page of the key has an example.",
        "app:\n  build: .\n  volumes: ./tmp:/tmp\n",
        SERVICES,
    ),
    Kind(
        codes.WRONG_VALUE,
        "wrong-value",
        "A value that is not possible",
        "The value has the right shape but a content that cannot be meant.",
        "Correct the value.",
        'app:\n  build: .\n  links: ["db:"]\ndb:\n  image: postgres\n',
        SERVICES,
    ),
    Kind(
        codes.UNKNOWN_KEY,
        "unknown-key",
        "An unknown key",
        "Nothing reads this key; the run goes on without it.",
        "Correct its spelling (the nearest known key is named), or remove it. Keys that begin with "
        "x- are never told.",
        "app:\n  build: .\n  enviroment:\n    RAILS_ENV: test\n",
        SERVICES,
    ),
    Kind(
        codes.IGNORED_KEY,
        "ignored-key",
        "A key that is ignored",
        "The key belongs to docker-compose and has no effect here, as it had none in CodeShip.",
        "Remove it, or do what the hint says.",
        'app:\n  build: .\n  ports:\n  - "8080:80"\n',
        SERVICES,
    ),
    Kind(
        codes.DEPRECATED_KEY,
        "deprecated-key",
        "An old name of a key",
        "The key works, but has another name today.",
        'Write the new name; where nothing else changes, "longshore validate --fix" does it.',
        "app:\n  build:\n    path: .\n",
        SERVICES,
    ),
    Kind(
        codes.EMPTY_VALUE,
        "empty-value",
        "A key or list item without a value",
        "Nothing is written after the colon or the dash. A key without a value counts as absent.",
        "Give it a value or remove it.",
        "app:\n  build: .\n  environment:\n",
        SERVICES,
    ),
    Kind(
        codes.MISPLACED_KEY,
        "misplaced-key",
        "A key in the wrong place",
        "The key exists, but not here, and has no effect here.",
        "Move it to where the hint says.",
        "app:\n  build:\n    context: .\n    cached: true\n",
        SERVICES,
    ),
    Kind(
        codes.TEMPLATE_ELSEWHERE,
        "template-elsewhere",
        "A template where none is expanded",
        "Go templates are expanded in image_tag and in the values of build args, nowhere else.",
        "In a command, use the CI_* variables of the container, through a shell.",
        '- service: app\n  command: echo "{{ .Branch }}"\n',
    ),
)
