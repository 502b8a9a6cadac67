// Jobs that are created once more.

import { request } from "./api.js";
import { API } from "./base.js";

/** What creates a job once more, as JSON: its definition goes as it was sent. @param {{ id: string, clientId: string, workflow: string, tags: string[] }} job */
export async function copyOf({ id, clientId, workflow, tags }) {
  const { text: definition } = await request(`${API}/jobs/${encodeURIComponent(id)}/definition`);
  return `${JSON.stringify({ clientId, workflow, tags }).slice(0, -1)},"definition":${definition.trim() || "{}"}}`;
}
