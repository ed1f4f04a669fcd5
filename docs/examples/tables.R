# The tables of a result in R: install.packages(c("arrow", "dplyr")); Rscript docs/examples/tables.R forkcast-out
# Times are int64 nanoseconds; NA is unknown, never 0.
library(arrow)
library(dplyr)

args <- commandArgs(trailingOnly = TRUE)
tables <- file.path(if (length(args) > 0) args[[1]] else "forkcast-out", "tables")
read <- function(name) read_ipc_file(file.path(tables, paste0(name, ".arrow")))

forks <- read("forks")
verdicts <- read("verdicts")

# How each policy decides.
print(verdicts |> count(policy, decision, verdict))

# Window lengths in microseconds by command.
print(
  forks |>
    mutate(window_us = as.numeric(end_ns - start_ns) / 1000) |>
    group_by(comm) |>
    summarise(forks = n(), median_us = median(window_us, na.rm = TRUE)) |>
    arrange(desc(forks))
)
