/** The lab console: the whole page below the title bar. */
export function Console() {
  return (
    <main>
      <h1>Lab console</h1>
    </main>
  );
}
