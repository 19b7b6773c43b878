"""The `millirobot` command: argparse, one file a group of subcommands."""
