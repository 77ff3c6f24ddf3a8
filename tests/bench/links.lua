-- wrk script: opens the pages of the links in the file INVITED_BENCH_LINKS, one path a line.
local paths = {}
for line in io.lines(os.getenv("INVITED_BENCH_LINKS")) do paths[#paths + 1] = line end
local number = 0

function request()
  number = number + 1
  return wrk.format("GET", paths[(number - 1) % #paths + 1])
end

function done(summary, latency, requests)
  io.write(string.format("RESULT {\"requests\":%d,\"duration_us\":%d,\"p50_us\":%d,\"p99_us\":%d,\"http_errors\":%d,\"socket_errors\":%d}\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), 0,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
