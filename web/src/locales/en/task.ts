export default {
  'task.title': 'Task',
}
