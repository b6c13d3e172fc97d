import { expect, test, vi } from "vitest";
import { changeAll } from "./change-all";

test("the call is repeated while there are more jobs, and the progress is reported", async () => {
  const call = vi.fn().mockResolvedValue({ changed: 3, more: false });
  call.mockResolvedValueOnce({ changed: 100, more: true }).mockResolvedValueOnce({ changed: 0, more: true });
  const progress = vi.fn();
  await changeAll(call, progress);
  expect(progress.mock.calls).toEqual([[100], [100], [103]]);
});

test("a failed call ends it", async () => {
  const call = vi.fn().mockResolvedValueOnce({ changed: 1, more: true }).mockRejectedValue(new Error("down"));
  await expect(changeAll(call, () => {})).rejects.toThrow("down");
  expect(call).toHaveBeenCalledTimes(2);
});
