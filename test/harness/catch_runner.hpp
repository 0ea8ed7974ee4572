#pragma once

/// Runs the test cases of this program as the command line says. @returns its exit status.
int run_catch(int count, char** arguments);
