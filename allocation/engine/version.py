"""The engine's name and version, written into every result so that a replay knows what it repeats."""

ENGINE = "openhours-engine 1.0.0"
