-- wrk script: asks for the paths in the file INVITED_BENCH_PATHS, one a line; with INVITED_BENCH_TOKEN as a program with
-- that API token, to which each answer must be a success.
local paths = {}
for line in io.lines(os.getenv("INVITED_BENCH_PATHS")) do paths[#paths + 1] = line end
local token = os.getenv("INVITED_BENCH_TOKEN")
local headers = {}
if token then headers["Authorization"] = "Bearer " .. token end
local number = 0

function request()
  number = number + 1
  return wrk.format("GET", paths[(number - 1) % #paths + 1], headers)
end

function done(summary, latency, requests)
  io.write(string.format("RESULT {\"requests\":%d,\"duration_us\":%d,\"p50_us\":%d,\"p99_us\":%d,\"http_errors\":%d,\"socket_errors\":%d}\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), token and summary.errors.status or 0,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
