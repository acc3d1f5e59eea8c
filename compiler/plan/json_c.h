/* SPDX-License-Identifier: MIT
 *
 * json-c beside our JSON writer.  Two of its type names are names of functions in base.h; they get
 * another name here, which is seen by the compiler only.
 */
#pragma once

#define json_object json_c_object
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_object
#undef json_bool
