#pragma once

/// Runs the test cases of this program as the command line says. @returns its exit status: 0 if all ran and
/// none failed, `skipped_exit_code` if none failed and something was skipped, never that one if any failed.
int run_catch(int count, char** arguments);
