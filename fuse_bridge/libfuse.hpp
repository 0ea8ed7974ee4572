#pragma once
// The one place that chooses libfuse's interface version.
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
