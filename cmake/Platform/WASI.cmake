# SPDX-License-Identifier: MIT
# CMake before 3.31 has no description of this platform and warns about it.
