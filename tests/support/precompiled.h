// The headers that most tests include, compiled once for all of them, with those of src/precompiled.h.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
