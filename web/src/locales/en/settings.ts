export default {
  'settings.title': 'Settings',
  'settings.tab.appearance': 'Appearance',
  'settings.tab.tokens': 'Tokens',
  'settings.tab.identities': 'Identities',
  'settings.tab.secrets': 'Secrets',
  'settings.tab.callbacks': 'Callbacks',
  'settings.tab.doctor': 'Doctor',
  'settings.tab.about': 'About',
  'settings.theme': 'Theme',
  'settings.theme.system': 'As the system',
  'settings.theme.light': 'Light',
  'settings.theme.dark': 'Dark',
}
